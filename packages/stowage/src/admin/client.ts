import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { StowageError } from '../failure.ts'
import type { AccountOperation, OperationAnswer, OperationBody } from './account-operations.ts'
import { accountsPath, type AdminError, type AdminOperations, adminRoutes, upkeepPath } from './api.ts'
import { socketPath } from './socket-path.ts'
import type { UpkeepAnswer, UpkeepBody, UpkeepOperation } from './upkeep-operations.ts'

/**
 * Asks the server that owns the data directory.
 *
 * @returns undefined when no server runs.
 * @throws StowageError when one runs but this user may not ask it, or when it does not answer.
 */
export const askServer = async <O extends keyof AdminOperations>(
  data: string,
  operation: O,
): Promise<Awaited<ReturnType<AdminOperations[O]>> | undefined> => {
  const answer = await send(data, adminRoutes[operation])
  if (answer === undefined) return undefined
  if ('error' in answer) throw cannot(answer.error)
  return answer.value as Awaited<ReturnType<AdminOperations[O]>>
}

/**
 * Has the server that owns the data directory do something with its accounts.
 *
 * @returns undefined when no server runs; `error` when it refuses, for a reason that who asks can do something about.
 * @throws StowageError as `askServer`.
 */
export const askAccountServer = async <O extends AccountOperation>(
  data: string,
  operation: O,
  body: OperationBody<O>,
): Promise<ServerAnswer<OperationAnswer<O>>> => {
  return (await post(data, `${accountsPath}${operation}`, body)) as ServerAnswer<OperationAnswer<O>>
}

/**
 * Has the server that owns the data directory do something for its upkeep, which may take long.
 *
 * @param signal Ends it, there as well.
 * @returns as `askAccountServer`
 * @throws StowageError as `askServer`; the reason of the signal.
 */
export const askUpkeepServer = async <O extends UpkeepOperation>(
  data: string,
  operation: O,
  body: UpkeepBody<O>,
  signal?: AbortSignal,
): Promise<ServerAnswer<UpkeepAnswer<O>>> =>
  (await post(data, `${upkeepPath}${operation}`, body, signal)) as ServerAnswer<UpkeepAnswer<O>>

type ServerAnswer<A> = { readonly value: A } | { readonly error: AdminError['error'] } | undefined

const post = async (
  data: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<ServerAnswer<unknown>> => {
  const answer = await send(data, { method: 'POST', path }, { body: JSON.stringify(body), signal })
  if (answer === undefined || !('error' in answer)) return answer
  if (['invalid', 'refused', 'unknown', 'exists', 'storage'].includes(answer.error.code)) return answer
  throw cannot(answer.error)
}

/** Whether a server listens on the socket of a data directory, answering or not. */
export const isServed = async (data: string): Promise<boolean> => {
  using socket = socketPath(data)
  if (socket === undefined) return false
  const connection = connect(socket.path)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  connection.once('connect', () => resolve(true)).once('error', () => resolve(false))
  try {
    return await promise
  } finally {
    connection.destroy()
  }
}

const cannot = ({ message }: AdminError['error']): StowageError =>
  new StowageError('unavailable', `The server could not do it: ${message}`)

const send = async (
  data: string,
  route: { readonly method: string; readonly path: string },
  { body, signal }: { readonly body?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly value: unknown } | AdminError | undefined> => {
  using socket = socketPath(data)
  if (socket === undefined) return undefined
  const { path: socketFile } = socket
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const asked = request(
    {
      socketPath: socketFile,
      agent: false,
      headers: { host: 'stowage', ...type },
      ...(signal && { signal }),
      ...route,
    },
    (response) =>
      void text(response).then((received) => resolve({ status: response.statusCode ?? 0, body: received }), reject),
  )
  asked.on('error', reject).end(body)
  try {
    const answer = await promise
    const value = JSON.parse(answer.body) as unknown
    if (answer.status === 200) return { value }
    const { error } = value as Partial<AdminError>
    return { error: error ?? { code: 'failed', message: `it answered ${answer.status}` } }
  } catch (cause) {
    signal?.throwIfAborted()
    switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
      // Nothing there, or the socket of a process that was killed.
      case 'ENOENT':
      case 'ECONNREFUSED':
        return undefined
      case 'EACCES':
      case 'EPERM':
        throw new StowageError(
          'unavailable',
          `Only the user who runs the server may use ${socketFile}. Become that user.`,
          {
            cause,
          },
        )
      default:
        throw new StowageError('unavailable', `The server does not answer on ${socketFile}: ${String(cause)}`, {
          cause,
        })
    }
  }
}
