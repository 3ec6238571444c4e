import type { Behaviour } from './call.ts'
import { errorReply, type Header } from './reply.ts'

/**
 * Answers 401 with these lines of `WWW-Authenticate`, whatever the client shows: ordered for good, the challenge never ends.
 *
 * @example server.on({}, challenge(`Bearer realm="${server.trap.url}/token"`))
 */
export const challenge =
  (...lines: readonly string[]): Behaviour =>
  () =>
    errorReply(
      401,
      'UNAUTHORIZED',
      'authentication required',
      lines.map((line): Header => ['www-authenticate', line]),
    )
