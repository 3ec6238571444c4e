import { expect, it } from 'vitest'
import { orAborted } from './interrupt.ts'

it('what others began is waited for until the signal says to stop', async () => {
  const { signal } = new AbortController()
  expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
  await expect(orAborted(Promise.reject(new Error('theirs')), signal)).rejects.toThrow('theirs')
  const never = new Promise<never>(() => {})
  await expect(orAborted(never, AbortSignal.abort('why'))).rejects.toMatchObject({ code: 'aborted', cause: 'why' })
  const stop = new AbortController()
  const waiting = orAborted(never, stop.signal)
  stop.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
})
