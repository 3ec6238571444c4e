import type { Descriptor, Digest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import { ClientError } from '../errors.ts'
import { type CopyEvent, type CopyEvents, createEventQueue } from './events.ts'

const blob = (name: string): Descriptor => ({ mediaType: 'a/b', digest: `sha256:${name}` as Digest, size: 100 })
const progress = (name: string, sent: number): CopyEvent => ({ type: 'progress', descriptor: blob(name), sent })
const found = (name: string): CopyEvent => ({ type: 'found', role: 'blob', descriptor: blob(name) })
const done = (name: string): CopyEvent => ({ type: 'done', role: 'blob', descriptor: blob(name), outcome: 'copied' })

const drained = async (queue: CopyEvents): Promise<CopyEvent[]> => {
  queue.end()
  return collect(queue.listen())
}

describe('events', () => {
  it('come in their order, those from before somebody listened too', async () => {
    const queue = createEventQueue()
    queue.push(found('a'))
    const listening = collect(queue.listen())
    await new Promise((resolve) => setImmediate(resolve))
    queue.push(found('b'))
    queue.push(done('a'))
    queue.end()
    expect(await listening).toEqual([found('a'), found('b'), done('a')])
  })

  it('hold one progress of each blob, the last, where the first one was', async () => {
    const queue = createEventQueue()
    queue.push(progress('a', 1))
    queue.push(progress('b', 1))
    for (let sent = 2; sent <= 100_000; sent++) queue.push(progress('a', sent))
    queue.push(done('a'))
    queue.push(progress('b', 2))
    expect(await drained(queue)).toEqual([progress('a', 100_000), progress('b', 2), done('a')])
  })

  it('tell of progress again when the last one was heard of', async () => {
    const queue = createEventQueue()
    const events = queue.listen()[Symbol.asyncIterator]()
    for (let sent = 0; sent < 5; sent++) {
      queue.push(progress('a', sent))
      expect((await events.next()).value).toEqual(progress('a', sent))
    }
    queue.push(progress('a', 9))
    queue.push(progress('a', 10))
    expect(await drained(queue)).toEqual([progress('a', 10)])
  })

  it('end with the failure, after all that came before it', async () => {
    const queue = createEventQueue()
    const error = new ClientError('network', 'gone')
    queue.push(found('a'))
    queue.end(error)
    const events = queue.listen()[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual(found('a'))
    await expect(events.next()).rejects.toBe(error)
    await expect(collect(queue.listen())).rejects.toBe(error)
  })

  it('are shared between two who listen, and both end', async () => {
    const queue = createEventQueue()
    const listening = [collect(queue.listen()), collect(queue.listen())]
    await new Promise((resolve) => setImmediate(resolve))
    for (const name of ['a', 'b', 'c']) queue.push(found(name))
    queue.end()
    const [one = [], other = []] = await Promise.all(listening)
    expect(new Set([...one, ...other])).toEqual(new Set(['a', 'b', 'c'].map(found)))
  })
})
