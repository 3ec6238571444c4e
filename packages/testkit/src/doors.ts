import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry, type Registry, type RegistryOptions } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'

/** An answer, read to its end. */
export interface Answer {
  readonly status: number
  /** A header's value, several lines joined by `, `; null when it is not there. */
  header(name: string): string | null
  readonly bytes: Uint8Array
  text(): string
  json(): unknown
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** An iterable is sent without a length (chunked). */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
}

/** A registry to send requests to, and the way they go. */
export interface OpenDoor extends AsyncDisposable {
  readonly registry: Registry
  /** @param target Path and query, sent as they are. */
  send(method: string, target: string, options?: SendOptions): Promise<Answer>
}

export interface Door {
  readonly name: string
  open(options?: Partial<RegistryOptions>): Promise<OpenDoor>
}

/** In-process: `registry.fetch` with a web `Request`, as Hono, Bun or Deno would call it. */
const fetchDoor: Door = {
  name: 'fetch',
  open: async (options = {}) => {
    const registry = await createRegistry({ storage: ':memory:', ...options })
    return {
      registry,
      send: async (method, target, { headers = {}, body } = {}) => {
        const response = await registry.fetch(
          new Request(`http://registry.test${target}`, {
            method,
            headers: withLength(headers, body),
            ...(body === undefined ? {} : { body: toBody(body), duplex: 'half' }),
          }),
        )
        const bytes = new Uint8Array(await response.arrayBuffer())
        return answer(response.status, (name) => response.headers.get(name), bytes)
      },
      [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
    }
  },
}

/** Over a real socket: `toNodeHandler` behind `node:http`, each request on a connection of its own. */
const socketDoor: Door = {
  name: 'socket',
  open: async (options = {}) => {
    const registry = await createRegistry({ storage: ':memory:', ...options })
    const server = createServer(toNodeHandler(registry))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      registry,
      send: async (method, target, sent) => sendOverSocket(port, method, target, sent),
      [Symbol.asyncDispose]: async () => {
        await new Promise((resolve) => server.close(resolve).closeAllConnections())
        await registry[Symbol.asyncDispose]()
      },
    }
  },
}

/** Every HTTP test goes through both. */
export const doors: readonly Door[] = [fetchDoor, socketDoor]

/** One request on a connection of its own, to a port of the loopback address. */
export const sendOverSocket = async (
  port: number,
  method: string,
  path: string,
  { headers: given = {}, body }: SendOptions = {},
): Promise<Answer> => {
  const settled = Promise.withResolvers<Answer>()
  const headers = withLength(given, body)
  const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
    const chunks: Uint8Array[] = []
    response.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    response.on('error', settled.reject)
    response.on('end', () => {
      const header = (name: string): string | null => {
        const value = response.headers[name]
        return value === undefined ? null : typeof value === 'string' ? value : value.join(', ')
      }
      settled.resolve(answer(response.statusCode ?? 0, header, new Uint8Array(Buffer.concat(chunks))))
    })
  })
  request.on('error', settled.reject)
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    request.end(body)
  } else {
    for await (const chunk of body) {
      if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve))
    }
    request.end()
  }
  return settled.promise
}

const answer = (status: number, header: (name: string) => string | null, bytes: Uint8Array): Answer => {
  const text = (): string => new TextDecoder().decode(bytes)
  return {
    status,
    header: (name) => header(name.toLowerCase()),
    bytes,
    text,
    json: () => JSON.parse(text()) as unknown,
  }
}

const withLength = (
  headers: Readonly<Record<string, string>>,
  body: SendOptions['body'],
): Readonly<Record<string, string>> => {
  if (typeof body === 'string') return { 'content-length': String(Buffer.byteLength(body)), ...headers }
  if (body instanceof Uint8Array) return { 'content-length': String(body.byteLength), ...headers }
  return headers
}

type WebBody = NonNullable<ConstructorParameters<typeof Response>[0]>

const toBody = (body: NonNullable<SendOptions['body']>): WebBody =>
  typeof body === 'string' || body instanceof Uint8Array ? (body as WebBody) : ReadableStream.from(body)
