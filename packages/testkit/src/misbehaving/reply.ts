import type { Behaviour, Call } from './call.ts'

/** Name and value; a name may come more than once. */
export type Header = readonly [name: string, value: string]

/**
 * What becomes of the connection after the last byte: `proper` ends the answer as HTTP wants it, `cut` closes the connection,
 * `reset` closes it so that the client's system may throw away what it has not read, `hang` sends nothing more.
 */
export type Ending = 'proper' | 'cut' | 'reset' | 'hang'

/** An answer, as plain data: what goes over the wire, right or wrong. Nothing but `send` knows of sockets. */
export interface Reply {
  readonly status: number
  /** Sent as they are: a `Content-Length` need not be that of the body. Without one the body is sent in chunks. */
  readonly headers: readonly Header[]
  readonly body: AsyncIterable<Uint8Array>
  readonly ending: Ending
  /** Leave the request's body unread, and close the connection after the answer. */
  readonly leavesRequest?: boolean
}

/** An answer, or what becomes of the connection without one. */
export type Outcome = Reply | Exclude<Ending, 'proper'>

export const isReply = (outcome: Outcome): outcome is Reply => typeof outcome === 'object'

/** An answer whose length is announced as it is. */
export const reply = (status: number, headers: readonly Header[], body: string | Uint8Array = ''): Reply => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  return {
    status,
    headers: [...headers, ['content-length', String(bytes.byteLength)]],
    body: once(bytes),
    ending: 'proper',
  }
}

export const jsonReply = (status: number, value: unknown, headers: readonly Header[] = []): Reply =>
  reply(status, [['content-type', 'application/json'], ...headers], JSON.stringify(value))

/** The specification's error body. */
export const errorReply = (status: number, code: string, message: string, headers: readonly Header[] = []): Reply =>
  jsonReply(status, { errors: [{ code, message }] }, headers)

export const headerOf = ({ headers }: Pick<Reply, 'headers'>, name: string): string | undefined =>
  headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1]

/** The same answer with this header and no other of its name; without it where the value is undefined. */
export const withHeader = (answer: Reply, name: string, value: string | undefined): Reply => ({
  ...answer,
  headers: [
    ...answer.headers.filter(([given]) => given.toLowerCase() !== name.toLowerCase()),
    ...(value === undefined ? [] : [[name, value] as const]),
  ],
})

/** The behaviour of changing what comes from behind, where there is an answer. */
export const changing =
  (change: (answer: Reply, call: Call) => Reply | Promise<Reply>): Behaviour =>
  async (call, next) => {
    const outcome = await next(call)
    return isReply(outcome) ? change(outcome, call) : outcome
  }

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}
