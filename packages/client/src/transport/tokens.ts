import type { Credential } from '../credentials/credential.ts'
import { ClientError } from '../errors.ts'
import type { Answer } from './answer.ts'
import type { Host } from './hosts.ts'
import { parseDestination, requireNoDescent, requireNoDowngrade, requireSameOrigin, withoutQuery } from './origin.ts'
import { parseRetryAfter } from './retry.ts'

/** What a token is for: the key of the cache. */
export interface TokenRequest {
  readonly realm: URL
  readonly service: string | undefined
  readonly scopes: readonly string[]
}

export interface Token {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Sends one request to a token server: no redirect is followed. */
export type Send = (request: {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Headers
  readonly form?: string
}) => Promise<Answer>

const answerLimit = 1024 * 1024
const mostRedirects = 3

/**
 * Token servers of public registries that are not at the registry's own origin, by that origin. Others are for the caller to
 * name: hosts under one domain are as often those of two tenants as of one owner.
 */
const publicTokenServers: ReadonlyMap<string, string> = new Map([
  ['https://registry-1.docker.io', 'https://auth.docker.io'],
  ['https://registry.gitlab.com', 'https://gitlab.com'],
])

/**
 * Where tokens come from, if credentials may go there: to the registry's own origin (scheme, host and port), to the token server
 * that everybody knows of a public registry, and to hosts that `tokenServers` names. A registry that names a token server of
 * strangers would else collect what it was not given.
 *
 * @throws {ClientError} `refused`
 */
export const checkRealm = (host: Host, realm: string, credential: Credential | undefined): URL => {
  // Relative to what, nobody has said.
  const url = parseDestination(realm, undefined, 'token realm')
  const own = new URL(host.endpoint)
  if (url.origin === own.origin) return url
  // Also for what is listed: that is a host, and no leave to say secrets aloud.
  requireNoDowngrade(host.endpoint, url, 'token realm')
  if (host.tokenServers.includes(url.host)) return url
  requireNoDescent(host.endpoint, url, 'token realm')
  if (publicTokenServers.get(own.origin) === url.origin) return url
  // Without credentials nothing can be given away: any token server may be asked.
  if (credential === undefined) return url
  throw new ClientError(
    'refused',
    `${host.registry} wants its credentials to be sent to ${url.host} for a token. They were not sent.`,
    {
      subject: host.registry,
      hint: `If ${url.host} is the token server of ${host.registry}, allow it: hosts["${host.registry}"].tokenServers.`,
    },
  )
}

/**
 * Gets a token by the Docker token protocol: GET with Basic credentials, or POST by OAuth2 for an identity token and where GET
 * is not known (distribution, "Token Authentication Specification" and "OAuth2 Token Authentication").
 *
 * @throws {ClientError} `unauthorized` when the credentials are wrong
 */
export const fetchToken = async (
  send: Send,
  request: TokenRequest,
  credential: Credential | undefined,
  userAgent: string,
): Promise<Token> => {
  const asked = Date.now()
  let answer: Answer
  if (credential?.kind === 'identity-token') {
    answer = await post(send, request, { grant_type: 'refresh_token', refresh_token: credential.token }, userAgent)
  } else {
    answer = await get(send, request, credential, userAgent)
    if (credential?.kind === 'password' && (answer.status === 404 || answer.status === 405)) {
      await answer.discard()
      const { username, password } = credential
      answer = await post(send, request, { grant_type: 'password', username, password }, userAgent)
    }
  }
  return readToken(answer, request, credential, asked)
}

const get = async (
  send: Send,
  { realm, service, scopes }: TokenRequest,
  credential: Credential | undefined,
  userAgent: string,
): Promise<Answer> => {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers = new Headers({ accept: 'application/json', 'user-agent': userAgent })
  if (credential?.kind === 'password') headers.set('authorization', basic(credential.username, credential.password))
  return following(send, { method: 'GET', url: url.href, headers })
}

const post = async (
  send: Send,
  { realm, service, scopes }: TokenRequest,
  grant: Record<string, string>,
  userAgent: string,
): Promise<Answer> => {
  const form = new URLSearchParams(grant)
  form.set('client_id', 'stowage')
  if (service !== undefined) form.set('service', service)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  const headers = new Headers({
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': userAgent,
  })
  return following(send, { method: 'POST', url: realm.href, headers, form: form.toString() })
}

/** Within its own origin only: some token servers correct a missing slash. */
const following = async (send: Send, request: Parameters<Send>[0]): Promise<Answer> => {
  let { url } = request
  for (let redirects = 0; ; redirects++) {
    const answer = await send({ ...request, url })
    const location = answer.headers.get('location')
    if (![301, 302, 307, 308].includes(answer.status) || location === null) return answer
    await answer.discard()
    const next = parseDestination(location, url, 'redirect of a token request')
    requireSameOrigin(url, next, 'redirect of a token request')
    if (redirects === mostRedirects) {
      throw new ClientError('invalid-response', `The token server at ${withoutQuery(url)} redirects without end.`)
    }
    // A redirect that drops its query has dropped what the token is for.
    if (next.search === '') next.search = new URL(url).search
    url = next.href
  }
}

const readToken = async (
  answer: Answer,
  { realm }: TokenRequest,
  credential: Credential | undefined,
  asked: number,
): Promise<Token> => {
  const server = withoutQuery(realm)
  if (answer.status !== 200) {
    const { status, headers } = answer
    const retryAfter = parseRetryAfter(headers.get('retry-after'), Date.now())
    await answer.discard()
    if ([400, 401, 403].includes(status)) {
      const what = credential === undefined ? 'gives no token without credentials' : 'does not accept the credentials'
      throw new ClientError('unauthorized', `The token server ${server} ${what} (it answered ${status}).`, {
        status,
        hint: credential === undefined ? 'Log in to this registry.' : 'Log in again, or check what was configured.',
      })
    }
    const code = status === 429 ? 'rate-limited' : status >= 500 ? 'registry-failed' : 'invalid-response'
    throw new ClientError(code, `The token server ${server} answered ${status}.`, {
      status,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  }
  const bytes = await answer.bytes(answerLimit)
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new ClientError('invalid-response', `The token server ${server} did not answer with JSON.`, { cause })
  }
  const { token, access_token, expires_in } = (body ?? {}) as Record<string, unknown>
  const value = [token, access_token].find((each) => typeof each === 'string' && each !== '')
  if (typeof value !== 'string' || !isToken(value)) {
    throw new ClientError('invalid-response', `The token server ${server} gave no token.`)
  }
  // "For compatibility with older clients, a token should never be returned with less than 60 seconds to live."
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : 60
  // Some of that time goes by on the way and in a queue.
  return { value, expiresAt: asked + seconds * 1000 * 0.9 }
}

/** It goes into a header: whatever could end that header is no token. */
export const isToken = (value: string): boolean => /^[\x21-\x7e]+$/.test(value)

/** RFC 7617: UTF-8, then base64. @throws {ClientError} `usage` for a user name that cannot be told from the password */
export const basic = (username: string, password: string): string => {
  if (username.includes(':')) throw new ClientError('usage', 'A user name has no colon in it.')
  let text = ''
  for (const byte of new TextEncoder().encode(`${username}:${password}`)) text += String.fromCharCode(byte)
  return `Basic ${btoa(text)}`
}
