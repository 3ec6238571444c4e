import type { TokenAnswer } from '../accounts/token-service.ts'
import { type Fault, RegistryError } from '../errors.ts'
import { json, type Reply } from './exchange.ts'
import { type OpenCall, type OpenOperations, type Services, tokenServiceOf } from './resource.ts'
import { type AskedToken, tokenRequestOfForm, tokenRequestOfQuery } from './token-request.ts'

/** Docker's token protocol: "GET", with Basic credentials or without. */
const get = async (call: OpenCall, services: Services): Promise<Reply> =>
  issue(call, services, tokenRequestOfQuery(call.query(), call.incoming.header('authorization')))

/** Docker's "OAuth2 Token Authentication", and RFC 8693 for workloads. */
const post = async (call: OpenCall, services: Services): Promise<Reply> =>
  issue(call, services, await tokenRequestOfForm(call.incoming))

const issue = async ({ client, loggedIn }: OpenCall, { login }: Services, asked: AskedToken): Promise<Reply> => {
  const tokens = tokenServiceOf(login)
  if (tokens === undefined) throw new RegistryError('route-unknown', 'This registry gives no tokens.')
  const answer = await tokens.issue({ ...asked, remoteAddress: client.address })
  if (answer.subject !== undefined) loggedIn(answer.subject)
  return reply(asked, answer)
}

const reply = ({ grant }: AskedToken, answer: TokenAnswer): Reply =>
  json(
    200,
    {
      token: answer.token,
      // "For compatibility with OAuth 2.0, we will also accept token under the name access_token."
      access_token: answer.token,
      token_type: 'Bearer',
      ...(grant.kind === 'exchange' && { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }),
      expires_in: answer.expiresIn,
      issued_at: answer.issuedAt,
      ...(answer.refreshToken !== undefined && { refresh_token: answer.refreshToken }),
      scope: answer.scope,
    },
    // RFC 6749 section 5.1: "The authorization server MUST include the HTTP Cache-Control response header field with a value
    // of no-store in any response containing tokens".
    { 'cache-control': 'no-store' },
  )

export const token: OpenOperations = {
  GET: { action: 'open', handle: get },
  POST: { action: 'open', handle: post },
}

const oauthErrors: Readonly<Partial<Record<Fault, string>>> = {
  'too-many-requests': 'temporarily_unavailable',
  overloaded: 'temporarily_unavailable',
  'storage-full': 'temporarily_unavailable',
}

/**
 * The error once more, for clients that speak OAuth 2 (RFC 6749 section 5.2).
 *
 * @param inHeader Whether the credentials came in `Authorization`; those of a form are a grant.
 */
export const oauthErrorOf = (
  error: RegistryError,
  inHeader: boolean,
): { readonly error: string; readonly error_description: string } => {
  const ofCredentials = inHeader ? 'invalid_client' : 'invalid_grant'
  const usual = error.fault === 'unauthorized' ? ofCredentials : (oauthErrors[error.fault] ?? 'invalid_request')
  return { error: error.hints.oauth ?? usual, error_description: descriptionOf(error.message) }
}

/** "Values for the error_description parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E." */
const descriptionOf = (message: string): string =>
  message.replaceAll(/[^\u0020-\u007e]/g, '?').replaceAll(/["\\]/g, "'")
