import { parseScopes } from './access.ts'
import { type AuthOptions, basicUser, mayDo } from './auth-options.ts'
import type { Call } from './call.ts'
import { allBytes } from './body-stream.ts'
import { errorReply, jsonReply, type Outcome } from './reply.ts'
import type { TokenRequest, TokenStore } from './tokens.ts'

type Asked = Omit<TokenRequest, 'granted'>

export const isTokenEndpoint = ({ target }: Call): boolean => /^\/token(\?|$)/.test(target)

/** Docker's token endpoint: GET with Basic credentials or none, and POST as OAuth2 has it. The same on both origins. */
export const answerTokenRequest = async (call: Call, options: AuthOptions, tokens: TokenStore): Promise<Outcome> => {
  if (call.method === 'GET') return answerGet(call, options, tokens)
  if (call.method === 'POST' && options.oauth2 !== false) return answerPost(call, options, tokens)
  return errorReply(405, 'UNSUPPORTED', 'This token endpoint knows no such method.')
}

const answerGet = (call: Call, options: AuthOptions, tokens: TokenStore): Outcome => {
  const { searchParams } = new URL(call.target, call.urls.registry)
  const found = basicUser(options, call.headers.authorization)
  const asked: Asked = {
    method: 'GET',
    user: typeof found === 'object' ? found.name : undefined,
    service: searchParams.get('service') ?? undefined,
    scopes: searchParams.getAll('scope').flatMap(split),
    grantType: undefined,
    clientId: searchParams.get('client_id') ?? undefined,
  }
  if (found !== 'unknown') return grant(asked, options, tokens, searchParams.get('offline_token') === 'true')
  record(asked, tokens, false)
  return errorReply(401, 'UNAUTHORIZED', 'incorrect username or password')
}

const answerPost = async (call: Call, options: AuthOptions, tokens: TokenStore): Promise<Outcome> => {
  const form = new URLSearchParams(new TextDecoder().decode(await allBytes(call.body())))
  const text = (name: string): string | undefined => form.get(name) ?? undefined
  const grantType = text('grant_type')
  const asked: Asked = {
    method: 'POST',
    user: userOf(form, options, tokens),
    service: text('service'),
    scopes: split(text('scope') ?? ''),
    grantType,
    clientId: text('client_id'),
  }
  const refuse = (error: string, description: string): Outcome => {
    record(asked, tokens, false)
    return jsonReply(400, { error, error_description: description })
  }
  // RFC 6749, and `client_id` and `service` as the distribution project has them.
  if (!/^application\/x-www-form-urlencoded\b/i.test(call.headers['content-type'] ?? ''))
    return refuse('invalid_request', 'The body must be a form.')
  if (asked.clientId === undefined || asked.service === undefined)
    return refuse('invalid_request', 'client_id and service are required.')
  if (grantType !== 'password' && grantType !== 'refresh_token')
    return refuse('unsupported_grant_type', 'There are password and refresh_token.')
  if (asked.user === undefined) return refuse('invalid_grant', 'These credentials are wrong.')
  return grant(asked, options, tokens, text('access_type') === 'offline')
}

const userOf = (form: URLSearchParams, { users }: AuthOptions, tokens: TokenStore): string | undefined => {
  if (form.get('grant_type') === 'refresh_token') return tokens.userOfRefreshToken(form.get('refresh_token') ?? '')
  const name = form.get('username') ?? ''
  return Object.hasOwn(users, name) && users[name] === form.get('password') ? name : undefined
}

const grant = (asked: Asked, options: AuthOptions, tokens: TokenStore, offline: boolean): Outcome => {
  const { lifetime = 300, tokenField = 'token', withoutExpiresIn = false } = options
  record(asked, tokens, true)
  const access = asked.scopes.flatMap(parseScopes).filter((one) => mayDo(options, asked.user, one))
  const token = tokens.grant(access, lifetime)
  return jsonReply(200, {
    ...(tokenField === 'access_token' ? {} : { token }),
    ...(tokenField === 'token' ? {} : { access_token: token }),
    ...(withoutExpiresIn ? {} : { expires_in: lifetime }),
    ...(offline && asked.user !== undefined ? { refresh_token: tokens.issueRefreshToken(asked.user) } : {}),
  })
}

const record = (asked: Asked, tokens: TokenStore, granted: boolean): void =>
  void tokens.requests.push({ ...asked, granted })

const split = (scopes: string): string[] => scopes.split(' ').filter((scope) => scope !== '')
