import type { ServerResponse } from 'node:http'

/**
 * Lets a request that was sent behind another one on the same connection wait until that one is answered. Node hands all of
 * them over at once, and answers wait for each other in memory: a few KiB of requests for large blobs would then cost
 * hundreds of MiB.
 *
 * RFC 9112 section 9.3.2: "A server MAY process a sequence of pipelined requests in parallel if they all have safe methods",
 * so it may not process a push beside what follows it.
 *
 * Whose turn it is, Node says: a response gets its socket when all before it are out. We could not know it, for a host answers
 * some requests itself, and hands others to us later than they came.
 */
export const oneAtATime = (res: ServerResponse, serve: () => void): void => {
  if (res.socket === null) res.once('socket', serve)
  else serve()
}
