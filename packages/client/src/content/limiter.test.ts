import { describe, expect, it, vi } from 'vitest'
import { createLimiter } from './limiter.ts'

const { signal: never } = new AbortController()
const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a limiter', () => {
  it('lets so many in at once, and the others in the order they came', async () => {
    const limiter = createLimiter(2)
    const entered: number[] = []
    const leaves: (() => void)[] = []
    for (let index = 0; index < 6; index++) {
      void (async () => {
        leaves.push(await limiter.enter(never))
        entered.push(index)
      })()
    }
    await settled()
    expect(entered).toEqual([0, 1])
    leaves[1]?.()
    await settled()
    expect(entered).toEqual([0, 1, 2])
    leaves[0]?.()
    leaves[2]?.()
    await settled()
    expect(entered).toEqual([0, 1, 2, 3, 4])
  })

  it('counts a stay once, however often it ends', async () => {
    const limiter = createLimiter(1)
    const leave = await limiter.enter(never)
    leave()
    leave()
    const second = await limiter.enter(never)
    const third = vi.fn<(leave: () => void) => void>()
    void limiter.enter(never).then(third)
    await settled()
    expect(third).not.toHaveBeenCalled()
    leave()
    await settled()
    expect(third).not.toHaveBeenCalled()
    second()
    await settled()
    expect(third).toHaveBeenCalledOnce()
  })

  it('lets nobody overtake who waits', async () => {
    const limiter = createLimiter(1)
    const leave = await limiter.enter(never)
    const order: string[] = []
    const enter = async (name: string): Promise<void> => {
      const end = await limiter.enter(never)
      order.push(name)
      end()
    }
    const waiting = enter('waited')
    leave()
    await Promise.all([waiting, enter('late')])
    expect(order).toEqual(['waited', 'late'])
  })

  it('gives up a place in the queue with the signal, and takes none', async () => {
    const limiter = createLimiter(1)
    const leave = await limiter.enter(never)
    const stop = new AbortController()
    const stopped = limiter.enter(stop.signal)
    const next = limiter.enter(never)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    await expect(limiter.enter(stop.signal)).rejects.toThrow('enough')
    leave()
    ;(await next)()
    ;(await limiter.enter(never))()
  })

  it('keeps the place of who was let in, even when the signal comes right after', async () => {
    const limiter = createLimiter(1)
    const leave = await limiter.enter(never)
    const stop = new AbortController()
    const waiting = limiter.enter(stop.signal)
    leave()
    stop.abort(new Error('enough'))
    ;(await waiting)()
    ;(await limiter.enter(never))()
  })

  it('returns every place of a thousand, and leaves nothing at the signal', async () => {
    const limiter = createLimiter(2)
    const stop = new AbortController()
    const added = vi.spyOn(stop.signal, 'addEventListener')
    const removed = vi.spyOn(stop.signal, 'removeEventListener')
    let [inside, most] = [0, 0]
    await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const leave = await limiter.enter(stop.signal)
        inside++
        most = Math.max(most, inside)
        await settled()
        inside--
        leave()
      }),
    )
    expect([inside, most]).toEqual([0, 2])
    expect(added).toHaveBeenCalledTimes(998)
    expect(removed).toHaveBeenCalledTimes(998)
  })
})
