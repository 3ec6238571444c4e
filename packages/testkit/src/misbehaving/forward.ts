import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { BrokenConnection, type Call } from './call.ts'
import { nothing } from './body-stream.ts'
import type { Header, Outcome } from './reply.ts'

/** What belongs to one connection and not to what is said over it. */
const ofConnection = new Set(['connection', 'keep-alive', 'expect', 'te', 'trailer', 'upgrade', 'proxy-connection'])

/**
 * Asks the real registry. Where the client's body breaks off, the registry sees the same: every byte before the break, and
 * then the end of the connection.
 */
export const forwardTo =
  (port: number) =>
  async (call: Call): Promise<Outcome> => {
    const { method, target, headers } = call
    const kept = Object.entries(headers).filter(([name, value]) => !ofConnection.has(name) && value !== undefined)
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path: target,
      headers: Object.fromEntries(kept) as OutgoingHttpHeaders,
      agent: false,
    })
    // Also after the answer, when nobody else listens any more.
    request.on('error', () => {})
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    // It is awaited below; a failure must not be called unhandled while the body is still being sent.
    answered.catch(() => {})
    const progress = { broken: false }
    const sent = sendBody(call, request, progress)
    sent.catch(() => {})
    try {
      const [response] = await Promise.race([answered, sent.then(async () => answered)])
      // What a registry says to half a request is not for anyone.
      if (progress.broken) await sent
      return replyOf(method, response)
    } catch (error) {
      request.destroy()
      if (isFault(error)) throw error
      return 'cut'
    }
  }

/** Waits for each chunk to be out, so that the registry has all of them when the connection ends. */
const sendBody = async (call: Call, request: ClientRequest, progress: { broken: boolean }): Promise<void> => {
  try {
    for await (const chunk of call.body()) {
      if (request.destroyed) return
      await new Promise((resolve) => request.write(chunk, resolve))
    }
    request.end()
  } catch (error) {
    progress.broken = true
    const { socket } = request
    const closed = request.destroyed ? undefined : once(request, 'close')
    // The registry notices before the client can come back and ask what has arrived.
    socket?.end()
    if (socket !== null) await closed?.catch(() => {})
    throw error
  }
}

const replyOf = (method: string, response: IncomingMessage): Outcome => {
  const { statusCode: status = 0, rawHeaders } = response
  const headers: Header[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const framing = ['transfer-encoding', 'date'].includes(name.toLowerCase())
    if (!framing && !ofConnection.has(name.toLowerCase())) headers.push([name, rawHeaders[index + 1] ?? ''])
  }
  if (method === 'HEAD' || status === 204 || status === 304) {
    response.resume()
    return { status, headers, body: nothing(), ending: 'proper' }
  }
  return { status, headers, body: bodyOf(response), ending: 'proper' }
}

async function* bodyOf(response: IncomingMessage): AsyncIterable<Uint8Array> {
  try {
    yield* response as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new BrokenConnection('The registry broke off its answer.', { cause: error })
  }
}

/** Whether somebody made a mistake: errors of sockets have a code of the system (`ECONNRESET`) or of Node's parser. */
const isFault = (error: unknown): boolean =>
  !(error instanceof BrokenConnection) &&
  !(error instanceof Error && 'code' in error && /^(E(?!RR_)|HPE_)/.test(String(error.code)))
