import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inParallel } from './in-parallel.ts'
import { collect } from './pages.ts'

it('does so many at once, and gives what each gives', async () => {
  let [under, most] = [0, 0]
  const results = await collect(
    inParallel([5, 1, 3, 2, 4], { atOnce: 3 }, async (item) => {
      most = Math.max(most, ++under)
      await sleep(item)
      under--
      return item * 10
    }),
  )
  expect(results.toSorted()).toEqual([10, 20, 30, 40, 50])
  expect(most).toBe(3)
})

it('stops the others at the first failure, and throws it when they have ended', async () => {
  const ended: number[] = []
  const works = inParallel([1, 2, 3, 4, 5], { atOnce: 3 }, async (item, signal) => {
    if (item === 2) throw new Error('two')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await sleep(5)
    ended.push(item)
  })
  await expect(collect(works)).rejects.toThrow('two')
  expect(ended).toEqual([1, 3])
})

it('stops them when nobody listens any more', async () => {
  const stopped: number[] = []
  const works = inParallel([1, 2, 3], { atOnce: 2 }, async (item, signal) => {
    if (item === 1) return item
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    stopped.push(item)
    return item
  })
  for await (const _ of works) break
  expect(stopped).toEqual([2])
})

it('ends as the signal says, also when a work ignores it', async () => {
  const controller = new AbortController()
  const works = inParallel([1, 2, 3], { atOnce: 1, signal: controller.signal }, async (item) => {
    controller.abort()
    return item
  })
  await expect(collect(works)).rejects.toMatchObject({ code: 'aborted' })
})

it('throws what the items throw', async () => {
  async function* items(): AsyncIterable<number> {
    yield 1
    throw new Error('no more')
  }
  await expect(collect(inParallel(items(), { atOnce: 4 }, async (item) => item))).rejects.toThrow('no more')
})

it('wants to do one at a time at least', async () => {
  for (const atOnce of [0, 1.5, Number.NaN]) {
    await expect(collect(inParallel([1], { atOnce }, async (item) => item))).rejects.toMatchObject({ code: 'usage' })
  }
})
