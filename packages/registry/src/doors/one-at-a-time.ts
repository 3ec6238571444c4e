import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The answer that is last in line on each connection. */
const last = new WeakMap<Socket, ServerResponse>()

/**
 * Lets a request that was sent behind another one on the same connection wait until that one is answered. Node hands all of
 * them over at once, and answers wait for each other in memory: a few KiB of requests for large blobs would then cost
 * hundreds of MiB.
 *
 * RFC 9112 section 9.3.2: "A server MAY process a sequence of pipelined requests in parallel if they all have safe methods",
 * so it may not process a push beside what follows it.
 */
export const oneAtATime = (req: IncomingMessage, res: ServerResponse, serve: () => void): void => {
  const { socket } = req
  const before = last.get(socket)
  last.set(socket, res)
  if (before === undefined || before.writableFinished || before.destroyed) serve()
  else {
    before.once('close', () => {
      if (!socket.destroyed) serve()
    })
  }
}
