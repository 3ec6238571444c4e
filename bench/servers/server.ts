import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Child } from '../child.ts'
import type { ServedContent } from '../content.ts'

/** A server that the bench can start: small on purpose, so that one more peer is one more file. */
export interface BenchServer {
  readonly name: string
  /** `registry`: it is filled by pushes. `files`: it gets the content when it starts, and takes no push. */
  readonly kind: 'registry' | 'files'
  /** How it is set up, for the reader of the results. */
  readonly setup: string
  /** What it says of its version; undefined when it is not installed. */
  readonly version: () => string | undefined
  readonly start: (place: Place) => Promise<RunningServer>
}

export interface Place {
  /** An empty directory of its own, or one that the same server has left behind. */
  readonly directory: string
  readonly content: ServedContent | undefined
  /** Where a processor profile goes, for a server that can write one. */
  readonly profile?: string | undefined
}

export interface RunningServer extends AsyncDisposable {
  readonly name: string
  readonly url: string
  readonly pid: number
  readonly stop: () => Promise<void>
  /** What every request to it must carry: credentials. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

/** Resolves when the server answers at all; throws what it said on stderr when it ends instead. */
export async function whenAnswering(name: string, url: string, child: Child): Promise<RunningServer> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline && !child.ended()) {
    try {
      await fetch(`${url}/v2/`, { method: 'HEAD' })
      return { name, url, pid: child.pid, stop: child.stop, [Symbol.asyncDispose]: child.stop }
    } catch {
      await pause(50)
    }
  }
  await child.stop()
  throw new Error(`${name} did not start: ${child.complaint() || 'it said nothing'}`)
}
