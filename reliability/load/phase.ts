import { memoryOf, resetPeak } from '../../bench/proc.ts'
import type { RunningServer } from '../../bench/servers/server.ts'
import type { RegistryName, RowContext } from '../row.ts'
import { startRegistry } from './start.ts'

export interface Phase<T> {
  readonly result: T
  /** The most that was resident during it, MiB. */
  readonly peak: number
  /** p99 of the event loop's delay during it, milliseconds; undefined for a registry that has no such thing. */
  readonly loop: number | undefined
}

const MiB = 1024 * 1024

/** Starts the registry anew on what is there, so that each phase has its own memory, and watches it while `work` runs. */
export const inPhase = async <T>(
  { registry, directory, signal }: Pick<RowContext, 'registry' | 'directory' | 'signal'>,
  environment: Readonly<Record<string, string>>,
  work: (server: RunningServer) => Promise<T>,
): Promise<Phase<T>> => {
  signal.throwIfAborted()
  await using server = await startRegistry(registry, { directory, environment })
  // The histogram begins anew each time it is asked for.
  await loopDelay(registry, server.url)
  resetPeak(server.pid)
  const result = await work(server)
  const { peak } = memoryOf(server.pid)
  return { result, peak: peak / MiB, loop: await loopDelay(registry, server.url) }
}

export const loopDelay = async (registry: RegistryName, url: string): Promise<number | undefined> => {
  if (registry !== 'stowage') return undefined
  const page = await (await fetch(`${url}/metrics`)).text()
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(page)?.[1]
  if (seconds === undefined) throw new Error('/metrics says nothing of the event loop.')
  return Number(seconds) * 1000
}
