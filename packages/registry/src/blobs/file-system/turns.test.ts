import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createTurns } from './turns.ts'

/** Work that the test brings to its end, in the order in which it begins. */
const setUp = (atOnce: number) => {
  const turns = createTurns(atOnce)
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const take = async (name: string): Promise<string> => {
    const end = Promise.withResolvers<string>()
    ends.set(name, end)
    return turns(async () => {
      begun.push(name)
      return end.promise
    })
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.resolve(name)
    await nextTurn()
  }
  return { take, begun, end, ends }
}

it('begins no more than may be under way, and the others in the order in which they came', async () => {
  const { take, begun, end } = setUp(2)
  const all = ['a', 'b', 'c', 'd'].map(take)
  await nextTurn()
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  expect(begun).toEqual(['a', 'b', 'c'])
  await end('a')
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
  await end('c')
  await end('d')
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
})

it('has as many turns afterwards, also when work fails', async () => {
  const { take, begun, end, ends } = setUp(1)
  const failing = take('a').catch((error: unknown) => String(error))
  ends.get('a')?.reject(new Error('it failed'))
  expect(await failing).toBe('Error: it failed')
  const [one, other] = [take('b'), take('c')]
  await nextTurn()
  expect(begun).toEqual(['a', 'b'])
  await end('b')
  await end('c')
  await Promise.all([one, other])
  expect(begun).toEqual(['a', 'b', 'c'])
})
