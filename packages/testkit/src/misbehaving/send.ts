import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Outcome, Reply } from './reply.ts'

/** Brings an outcome onto the wire. Resolves when nothing more will be sent, or the client is gone. */
export const send = async (
  outcome: Outcome,
  request: IncomingMessage,
  response: ServerResponse,
  drain: () => Promise<void>,
): Promise<void> => {
  const { socket } = request
  switch (outcome) {
    case 'hang':
      return
    case 'cut':
      socket.destroySoon()
      return
    case 'reset':
      socket.resetAndDestroy()
      return
    default:
      await sendReply(outcome, request, response, drain)
  }
}

const sendReply = async (
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  drain: () => Promise<void>,
): Promise<void> => {
  const { status, headers, body, ending, leavesRequest = false } = reply
  response.writeHead(status, [...headers, ...(leavesRequest ? [['connection', 'close'] as const] : [])].flat())
  // The head is to be there also where no byte of a body follows it.
  response.flushHeaders()
  // The client learns at once what the answer is, and may send what it began to send to its end.
  const drained = leavesRequest ? undefined : drain()
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304
  if (!bodiless) await sendBody(body, response)
  switch (ending) {
    case 'hang':
      return
    case 'cut':
      request.socket.destroySoon()
      return
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'proper':
      await drained
      if (leavesRequest) response.once('finish', () => request.socket.destroy())
      response.end()
  }
}

/** Waits for each chunk to be out: a connection that is cut afterwards has carried exactly these bytes. */
const sendBody = async (body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> => {
  const closed = response.destroyed ? Promise.resolve() : once(response, 'close').catch(() => {})
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue
    await Promise.race([closed, new Promise((resolve) => response.write(chunk, resolve))])
    if (response.destroyed) return
  }
}
