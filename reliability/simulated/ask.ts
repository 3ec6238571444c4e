import type { Registry } from '@stowage/registry'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

/** Lets a request fail in a way that says which one it was. */
export const requireStatus = (what: string, answer: Answer, ...statuses: number[]): Answer => {
  if (statuses.includes(answer.status)) return answer
  throw new Error(`${what} was answered ${answer.status}: ${answer.bytes.toString().slice(0, 200)}`)
}

export const ask = async (
  registry: Pick<Registry, 'fetch'>,
  method: string,
  target: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array | ReadableStream } = {},
): Promise<Answer> => {
  const { headers = {}, body } = options
  const length = body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : {}
  const response = await registry.fetch(
    new Request(new URL(target, 'http://registry'), {
      method,
      headers: { ...length, ...headers },
      ...(body !== undefined && { body: body as RequestInit['body'], duplex: 'half' }),
    } as RequestInit),
  )
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

export const pathOf = (answer: Answer): string => {
  const { pathname, search } = new URL(answer.headers.get('location') ?? '', 'http://registry')
  return pathname + search
}
