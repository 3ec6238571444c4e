import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Logger } from '../logger.ts'
import { silentLogger } from '../logger.ts'
import { createSchedule } from './schedule.ts'

const until = async (ask: () => boolean): Promise<void> => {
  while (!ask()) await turn()
}

it('runs work again and again, never two runs at a time', async () => {
  await using schedule = createSchedule(silentLogger)
  let running = 0
  let most = 0
  let runs = 0
  schedule.add('work', 1, async () => {
    running += 1
    most = Math.max(most, running)
    await turn()
    runs += 1
    running -= 1
  })
  await until(() => runs >= 5)
  expect(most).toBe(1)
})

it('never runs work by itself whose time is 0', async () => {
  await using schedule = createSchedule(silentLogger)
  let runs = 0
  schedule.add('work', 0, async () => {
    runs += 1
  })
  const other = Promise.withResolvers<void>()
  schedule.add('other', 1, async () => other.resolve())
  await other.promise
  expect(runs).toBe(0)
})

it('runs what is asked for in its turn, and gives its result to who asked', async () => {
  await using schedule = createSchedule(silentLogger)
  const inTurn = schedule.add('work', 0, async () => {})
  const otherTurn = schedule.add('other', 0, async () => {})
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const one = inTurn(async () => {
    order.push('one begins')
    await first.promise
    order.push('one ends')
    return 1
  })
  const two = inTurn(async () => {
    order.push('two')
    throw new Error('two failed')
  })
  const three = inTurn(async () => order.push('three'))
  // Another kind does not wait.
  expect(await otherTurn(async () => 'other')).toBe('other')
  expect(order).toEqual(['one begins'])
  first.resolve()
  expect(await one).toBe(1)
  await expect(two).rejects.toThrow('two failed')
  await three
  expect(order).toEqual(['one begins', 'one ends', 'two', 'three'])
})

it('says that work failed, and tries again', async () => {
  const messages: string[] = []
  const logger: Logger = { ...silentLogger, error: (_facts, message) => void messages.push(message) }
  await using schedule = createSchedule(logger)
  let runs = 0
  schedule.add('the work', 1, async () => {
    runs += 1
    if (runs === 1) throw new Error('no')
  })
  await until(() => runs >= 3)
  expect(messages).toEqual(['the work failed; it will be tried again'])
})

it('ends what runs, begins nothing more, and says nothing of it', async () => {
  const messages: string[] = []
  const logger: Logger = { ...silentLogger, error: (_facts, message) => void messages.push(message) }
  const schedule = createSchedule(logger)
  let begun = 0
  let ended = 0
  const inTurn = schedule.add('work', 1, async (signal) => {
    begun += 1
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    ended += 1
    signal.throwIfAborted()
  })
  await until(() => begun === 1)
  const waiting = expect(inTurn(async () => begun++)).rejects.toThrow('being closed')
  await schedule[Symbol.asyncDispose]()
  await waiting
  expect({ begun, ended, messages }).toEqual({ begun: 1, ended: 1, messages: [] })
  await expect(inTurn(async () => begun++)).rejects.toThrow('being closed')
})
