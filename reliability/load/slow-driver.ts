import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { startSlowReaders } from '../../bench/load/slow-readers.ts'
import { beDriver } from './driver.ts'

export interface SlowTask {
  readonly url: string
  readonly path: string
  readonly readers: number
  readonly bytesPerSecond: number
}

export interface SlowReport {
  /** How many have received something. */
  readonly served: number
  readonly errors: readonly string[]
}

/** Ready when every reader has its first bytes; then they go on slowly until it is stopped. */
await beDriver(async (task) => {
  // The row wrote it.
  const { url, path, readers, bytesPerSecond } = task as SlowTask
  const slow = startSlowReaders(new URL(path, url).href, readers, bytesPerSecond)
  const served = (): number => slow.received().filter((bytes) => bytes > 0).length
  for (let tries = 0; tries < 600 && served() < readers; tries += 1) await pause(50)
  return async (stop): Promise<SlowReport> => {
    if (!stop.aborted) await once(stop, 'abort')
    const errors: string[] = []
    if (served() < readers) errors.push(`${readers - served()} of ${readers} slow readers got nothing`)
    try {
      slow.check()
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error))
    }
    const report = { served: served(), errors }
    slow[Symbol.dispose]()
    return report
  }
})
