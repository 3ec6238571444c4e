import type { Descriptor, Digest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { mostUnheard } from './event-queue.ts'
import { type CopyEvent, createEventQueue } from './events.ts'

const blob = (at: number): Descriptor => ({ mediaType: 'a/b', digest: `sha256:${at}` as Digest, size: 100 })
const progress = (at: number, sent = 1): CopyEvent => ({ type: 'progress', descriptor: blob(at), sent })
const found = (at: number): CopyEvent => ({ type: 'found', role: 'blob', descriptor: blob(at) })
const done = (at: number): CopyEvent => ({ type: 'done', role: 'blob', descriptor: blob(at), outcome: 'copied' })

describe('a queue to which nobody listens', () => {
  it('drops progress first, then the oldest of what was found', async () => {
    const queue = createEventQueue()
    for (let at = 0; at < 2000; at++) queue.push(progress(at))
    for (let at = 0; at < 10; at++) queue.push(done(at))
    for (let at = 0; at < 2 * mostUnheard; at++) queue.push(found(at))
    queue.end()
    const events = await collect(queue.listen())
    expect(events.length).toBeLessThanOrEqual(mostUnheard)
    expect(events.length).toBeGreaterThan(mostUnheard / 2)
    expect(events.filter(({ type }) => type === 'progress')).toEqual([])
    expect(events.filter(({ type }) => type === 'done')).toEqual(Array.from({ length: 10 }, (_, at) => done(at)))
    expect(events.at(-1)).toEqual(found(2 * mostUnheard - 1))
  })

  it('holds no more of what is worth the most either', async () => {
    const queue = createEventQueue()
    for (let at = 0; at < 5 * mostUnheard; at++) queue.push(done(at))
    queue.end()
    const events = await collect(queue.listen())
    expect(events.length).toBeLessThanOrEqual(mostUnheard)
    expect(events.at(-1)).toEqual(done(5 * mostUnheard - 1))
  })

  it('still knows where the progress is that it holds', async () => {
    const queue = createEventQueue()
    for (let at = 0; at < mostUnheard; at++) queue.push(found(at))
    queue.push(found(mostUnheard))
    queue.push(progress(1))
    queue.push(progress(2))
    queue.push(progress(1, 9))
    queue.end()
    expect((await collect(queue.listen())).slice(-2)).toEqual([progress(1, 9), progress(2)])
  })
})

it('a queue gives everything to who listens slowly, in order', async () => {
  const queue = createEventQueue()
  const listening = queue.listen()[Symbol.asyncIterator]()
  const first = listening.next()
  for (let at = 0; at < 3 * mostUnheard; at++) queue.push(at % 3 === 0 ? progress(at) : found(at))
  queue.end()
  const events = [(await first).value as CopyEvent]
  for (let next = await listening.next(); next.done !== true; next = await listening.next()) events.push(next.value)
  expect(events).toEqual(Array.from({ length: 3 * mostUnheard }, (_, at) => (at % 3 === 0 ? progress(at) : found(at))))
})
