import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

/** Milliseconds, and bytes a second. */
export interface ConnectionLimits {
  readonly bodyIdle: number
  readonly bodyMinRate: number
  readonly bodyGrace: number
  readonly readerIdle: number
}

export type EndReason = 'idle body' | 'slow body' | 'stalled reader'

export interface Connections {
  /** To be called for every request. It only remembers: nothing is armed, nothing is listened to. */
  begin(req: IncomingMessage, res: ServerResponse): void
  /** The same for a request whose client waits for `100 Continue`. */
  beginExpecting(req: IncomingMessage, res: ServerResponse): void
  readonly open: () => number
  /** Requests whose answer is not out yet. */
  readonly inFlight: () => number
  /** How many connections were ended, and why. */
  readonly ended: ReadonlyMap<EndReason, number>
  /** Ends connections on which nothing came yet: browsers open some in advance, and Node does not count them as idle. */
  endUnused(): void
  /** Ends every connection, also one whose TLS handshake is not over. */
  endAll(): void
  stop(): void
}

/** One connection, as the last look left it. Times are of the watch's own clock. */
interface Watch {
  readonly socket: Socket
  req: IncomingMessage | undefined
  res: ServerResponse | undefined
  /** The client was not told to go on yet: that it sends nothing is our doing. */
  waiting: boolean
  seen: IncomingMessage | undefined
  since: number
  excused: number
  firstRead: number
  lastRead: number
  lastReadAt: number
  sent: number
  sentAt: number
}

/**
 * Ends connections whose client stopped sending its request body, sends it too slowly, or stopped taking its answer. Node
 * has one limit, `requestTimeout`, on the whole of a request, which a large push over a slow line exceeds while it is going
 * well; and none for a reader that stalls.
 *
 * One interval looks at all connections: a request costs two assignments, and a connection that ends is found up to a
 * quarter of the shortest limit late.
 */
export const watchConnections = (
  server: Server | TlsServer,
  limits: ConnectionLimits,
  onEnd: (reason: EndReason, socket: Socket) => void = () => {},
): Connections => {
  const watches = new Map<Socket, Watch>()
  const ended = new Map<EndReason, number>([
    ['idle body', 0],
    ['slow body', 0],
    ['stalled reader', 0],
  ])
  const interval = Math.max(20, Math.min(1000, Math.min(limits.bodyIdle, limits.bodyGrace, limits.readerIdle) / 4))
  let clock = 0
  let lookedAt = performance.now()

  const watch = (socket: Socket): void => {
    watches.set(socket, {
      socket,
      req: undefined,
      res: undefined,
      waiting: false,
      seen: undefined,
      since: 0,
      excused: 0,
      firstRead: 0,
      lastRead: 0,
      lastReadAt: 0,
      sent: 0,
      sentAt: clock,
    })
    socket.once('close', () => watches.delete(socket))
  }
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', watch)

  const end = (one: Watch, reason: EndReason): void => {
    ended.set(reason, (ended.get(reason) ?? 0) + 1)
    onEnd(reason, one.socket)
    one.socket.destroy()
  }

  const look = (): void => {
    const now = performance.now()
    // When this process itself stood still (a suspended laptop, a stopped container), the clients are not to blame.
    const passed = Math.min(now - lookedAt, 2 * interval)
    lookedAt = now
    clock += passed
    for (const one of watches.values()) {
      const reason = stalled(one, clock, limits) ?? halting(one, clock, passed, limits)
      if (reason !== undefined) end(one, reason)
    }
  }
  const timer = setInterval(look, interval)
  timer.unref()

  return {
    begin: (req, res) => {
      const one = watches.get(req.socket)
      if (one === undefined) return
      one.req = req
      one.res = res
      one.waiting = false
    },
    beginExpecting: (req, res) => {
      const one = watches.get(req.socket)
      if (one === undefined) return
      one.req = req
      one.res = res
      one.waiting = true
      const { writeContinue } = res
      res.writeContinue = (...args) => {
        if (one.req === req) one.waiting = false
        writeContinue.apply(res, args)
      }
    },
    open: () => watches.size,
    inFlight: () => {
      let count = 0
      for (const { res } of watches.values()) if (res !== undefined && !res.writableFinished && !res.destroyed) count++
      return count
    },
    ended,
    endUnused: () => {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
    },
    endAll: () => {
      for (const { socket } of watches.values()) socket.destroy()
      for (const socket of sockets) socket.destroy()
    },
    stop: () => clearInterval(timer),
  }
}

/** Whether there is something to send and the client has taken none of it since the limit. */
const stalled = (one: Watch, clock: number, limits: ConnectionLimits): EndReason | undefined => {
  const { socket } = one
  if (socket.writableLength === 0) {
    one.sentAt = clock
    return undefined
  }
  const sent = socket.bytesWritten - socket.writableLength - queued(socket)
  if (sent !== one.sent) {
    one.sent = sent
    one.sentAt = clock
  }
  return clock - one.sentAt >= limits.readerIdle ? 'stalled reader' : undefined
}

/**
 * Bytes of the write under way that the kernel has not taken. Without it a large write looks stalled until all of it is out.
 * Node's own socket timeout looks at the same property of the handle, which is not documented: where it is missing, 0.
 */
const queued = (socket: Socket): number => {
  const { _handle: handle } = socket as { _handle?: { readonly writeQueueSize?: unknown } | null }
  return typeof handle?.writeQueueSize === 'number' ? handle.writeQueueSize : 0
}

/** Whether a request body that we are ready to take does not come, or comes too slowly. */
const halting = (one: Watch, clock: number, passed: number, limits: ConnectionLimits): EndReason | undefined => {
  const { req, res, socket } = one
  if (req === undefined) return undefined
  if (req.complete || req.destroyed) {
    // An idle connection keeps nothing of its last request alive.
    if (res?.writableFinished === true) one.req = one.res = one.seen = undefined
    return undefined
  }
  const read = socket.bytesRead
  if (one.seen !== req) {
    one.seen = req
    one.since = one.lastReadAt = clock
    one.firstRead = one.lastRead = read
    one.excused = 0
    return undefined
  }
  // Bytes lie here that nobody has fetched, or the client waits for our word: the delay is on our side.
  const ours = one.waiting || req.readableLength > 0
  if (ours) one.excused += passed
  if (ours || read !== one.lastRead) one.lastReadAt = clock
  one.lastRead = read
  if (clock - one.lastReadAt >= limits.bodyIdle) return 'idle body'
  const taken = clock - one.since - one.excused
  const tooSlow = taken >= limits.bodyGrace && (read - one.firstRead) * 1000 < limits.bodyMinRate * taken
  return tooSlow ? 'slow body' : undefined
}
