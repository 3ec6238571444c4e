import { expect, it } from 'vitest'
import { createQueue } from './queue.ts'

it('runs one task at a time, in the order they come, and goes on after one that failed', async () => {
  const queue = createQueue()
  const seen: string[] = []
  const task = (name: string, end: () => string) => async () => {
    seen.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(`${name} ends`)
    return end()
  }
  const one = queue(task('one', () => '1'))
  const failed = queue(
    task('two', () => {
      throw new Error('failed')
    }),
  )
  const three = queue(task('three', () => '3'))
  await expect(failed).rejects.toThrow('failed')
  expect(await Promise.all([one, three])).toEqual(['1', '3'])
  expect(seen).toEqual(['one begins', 'one ends', 'two begins', 'two ends', 'three begins', 'three ends'])
})
