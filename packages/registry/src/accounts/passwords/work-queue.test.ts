import { expect, it } from 'vitest'
import { createWorkQueue } from './work-queue.ts'

const setUp = (concurrency: number, waiting: number) => {
  const queue = createWorkQueue({ concurrency, waiting })
  const begun: { name: string; end: PromiseWithResolvers<string> }[] = []
  const run = (name: string): Promise<string> =>
    queue.run(() => {
      const end = Promise.withResolvers<string>()
      begun.push({ name, end })
      return end.promise
    })
  const names = (): string[] => begun.map(({ name }) => name)
  const end = async (index: number): Promise<void> => {
    begun[index]?.end.resolve('done')
    await settled()
  }
  return { queue, run, names, end, begun }
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

const overloaded = { fault: 'overloaded', hints: { retryAfter: 1 } }

it('a little is under way at once, and the rest waits in turn', async () => {
  const { run, names, end } = setUp(2, 3)
  const all = ['a', 'b', 'c', 'd'].map(run)
  await settled()
  expect(names()).toEqual(['a', 'b'])
  await end(1)
  expect(names()).toEqual(['a', 'b', 'c'])
  await end(0)
  await end(2)
  await end(3)
  expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'done'])
})

it('what is too much is refused at once, and never begun', async () => {
  const { run, names, end } = setUp(1, 2)
  const all = ['a', 'b', 'c'].map(run)
  await expect(run('d')).rejects.toMatchObject(overloaded)
  await end(0)
  // There is a place again.
  const late = run('e')
  await end(1)
  await end(2)
  await end(3)
  await Promise.all([...all, late])
  expect(names()).toEqual(['a', 'b', 'c', 'e'])
})

it('work that fails gives its place on', async () => {
  const { run, begun, end } = setUp(1, 1)
  const failing = run('a')
  const next = run('b')
  await settled()
  begun[0]?.end.reject(new Error('broken'))
  await expect(failing).rejects.toThrow('broken')
  await end(1)
  expect(await next).toBe('done')
})

it('work that throws before it begins gives its place on', async () => {
  const { queue, run, end } = setUp(1, 0)
  const broken = queue.run(() => {
    throw new Error('broken')
  })
  await expect(broken).rejects.toThrow('broken')
  const next = run('b')
  await end(0)
  expect(await next).toBe('done')
})

it('at the end what is under way ends, and what waits is refused', async () => {
  const { queue, run, names, end } = setUp(1, 5)
  const first = run('a')
  const second = run('b')
  await settled()
  let over = false
  const disposed = queue[Symbol.asyncDispose]().then(() => (over = true))
  await expect(second).rejects.toMatchObject(overloaded)
  await expect(run('c')).rejects.toMatchObject(overloaded)
  expect(over).toBe(false)
  await end(0)
  await disposed
  expect(await first).toBe('done')
  expect(names()).toEqual(['a'])
})
