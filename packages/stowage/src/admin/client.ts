import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { StowageError } from '../failure.ts'
import { type AdminOperations, adminRoutes } from './api.ts'
import { socketPath } from './socket-path.ts'

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
  using socket = socketPath(data)
  if (socket === undefined) return undefined
  const answer = await send(socket.path, operation)
  if (answer === undefined) return undefined
  const value = JSON.parse(answer.body) as Awaited<ReturnType<AdminOperations[O]>> & { error?: { message?: string } }
  if (answer.status === 200) return value
  throw new StowageError(
    'unavailable',
    `The server could not do it: ${value.error?.message ?? `it answered ${answer.status}`}`,
  )
}

const send = async (
  path: string,
  operation: keyof AdminOperations,
): Promise<{ status: number; body: string } | undefined> => {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const asked = request(
    { socketPath: path, agent: false, headers: { host: 'stowage' }, ...adminRoutes[operation] },
    (response) => void text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject),
  )
  asked.on('error', reject).end()
  try {
    return await promise
  } catch (cause) {
    switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
      // Nothing there, or the socket of a process that was killed.
      case 'ENOENT':
      case 'ECONNREFUSED':
        return undefined
      case 'EACCES':
      case 'EPERM':
        throw new StowageError('unavailable', `Only the user who runs the server may use ${path}. Become that user.`, {
          cause,
        })
      default:
        throw new StowageError('unavailable', `The server does not answer on ${path}: ${String(cause)}`, { cause })
    }
  }
}
