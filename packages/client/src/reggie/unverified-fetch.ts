/** A `fetch` that takes whatever certificate it is shown. No runtime's own can be told to. */
import { iterate } from '../content/content.ts'
import { ClientError } from '../errors.ts'
import { type Fetch, type FetchAnswer, type FetchInit, globalFetch } from '../transport/fetch.ts'

/** What this module uses of `node:https`. It is asked for at run time: an import would keep browsers from loading the module. */
interface HttpsModule {
  readonly Agent: new (options: { keepAlive: boolean; rejectUnauthorized: boolean }) => object
  request(
    url: string,
    options: { method: string; headers: Record<string, string>; agent: object; signal: AbortSignal },
    onAnswer: (message: IncomingMessage) => void,
  ): ClientRequest
}

interface ClientRequest {
  readonly destroyed: boolean
  write(bytes: Uint8Array): boolean
  end(): void
  destroy(error?: Error): void
  on(event: 'error', listener: (error: Error) => void): void
  once(event: 'drain' | 'close', listener: () => void): void
}

interface IncomingMessage extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
  resume(): void
}

const builtin = (): HttpsModule | undefined => {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.('node:https') as HttpsModule | undefined
}

/**
 * @param options.https Default: the runtime's
 * @throws {ClientError} `unsupported` where the runtime has no `node:https`
 */
export const createUnverifiedFetch = ({ https } = { https: builtin() }): Fetch => {
  if (https === undefined) {
    throw new ClientError(
      'unsupported',
      'WithInsecureSkipTLSVerify does not work here: browsers verify every certificate.',
      {
        hint: 'Add the certificate to those that the system or the browser trusts, or run this in Node, Bun or Deno.',
      },
    )
  }
  // Connections that rest do not keep the process alive.
  const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })
  return async (url, init) => {
    if (new URL(url).protocol !== 'https:') return globalFetch(url, init)
    const { method, signal } = init
    const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer>()
    const headers = Object.fromEntries(init.headers)
    const request = https.request(url, { method, headers, agent, signal }, (message) => {
      resolve(toAnswer(message, method))
    })
    request.on('error', reject)
    send(request, init.body).catch((error: unknown) => {
      reject(error)
      request.destroy()
    })
    return promise
  }
}

/** An answer may come before all is sent, and ends the sending. */
const send = async (request: ClientRequest, body: FetchInit['body']): Promise<void> => {
  for await (const chunk of chunksOf(body)) {
    if (request.destroyed) return
    if (request.write(chunk)) continue
    await new Promise<void>((resolve) => {
      request.once('drain', resolve)
      request.once('close', resolve)
    })
  }
  request.end()
}

async function* chunksOf(body: FetchInit['body']): AsyncIterable<Uint8Array> {
  if (body === undefined) return
  if (body instanceof Uint8Array) yield body
  else yield* iterate(body instanceof Blob ? body.stream() : body)
}

const toAnswer = (message: IncomingMessage, method: string): FetchAnswer => {
  const { statusCode: status = 0, rawHeaders } = message
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  const empty = method === 'HEAD' || status === 204 || status === 304
  if (empty) message.resume()
  return { status, headers, body: empty ? null : message }
}
