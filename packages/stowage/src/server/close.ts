import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connections } from './connections.ts'

/** A connection that comes to rest during a shutdown is closed within this time. Milliseconds. */
const lookEvery = 50

/**
 * Stops taking connections, closes those at rest, and lets requests under way finish until the deadline or the abort,
 * whichever comes first; then cuts what is left.
 *
 * @param deadline Milliseconds.
 * @returns how many requests were cut off.
 */
export const closeServer = async (
  server: Server | TlsServer,
  deadline: number,
  connections: Pick<Connections, 'inFlight' | 'endUnused' | 'endAll'>,
  abort: AbortSignal,
): Promise<number> => {
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  // Node closes what is at rest now, but not what comes to rest later: that would stay for its keep-alive time.
  const sweep = setInterval(() => {
    server.closeIdleConnections()
    connections.endUnused()
  }, lookEvery)
  const timer = new AbortController()
  const late = sleep(deadline, 'late' as const, { signal: AbortSignal.any([abort, timer.signal]) }).catch(
    () => 'late' as const,
  )
  try {
    const first = await Promise.race([closed.promise, late])
    if (first !== 'late') return 0
    const cut = connections.inFlight()
    connections.endAll()
    await closed.promise
    return cut
  } finally {
    clearInterval(sweep)
    timer.abort()
  }
}
