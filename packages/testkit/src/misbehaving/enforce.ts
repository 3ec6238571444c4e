import { type Access, accessKey, formatScopes, requiredAccess } from './access.ts'
import { type AuthOptions, basicUser, realmOf, serviceOf } from './auth-options.ts'
import type { Behaviour, Call } from './call.ts'
import { type ChallengeFacts, challengeForms } from './challenge-forms.ts'
import { errorReply, type Header, type Outcome } from './reply.ts'
import type { TokenStore } from './tokens.ts'

/** Lets through to the registry who shows what the options ask for. The trap asks nobody for anything. */
export const enforce =
  (options: AuthOptions, tokens: TokenStore): Behaviour =>
  async (call, next) => {
    if (call.origin === 'trap') return next(call)
    const { authorization } = call.headers
    if (options.scheme === 'basic') {
      const user = basicUser(options, authorization)
      return typeof user === 'object' ? next(call) : refusal(['Basic realm="registry"'])
    }
    const needed = requiredAccess(call.method, call.target)
    const refuse = (error: ChallengeFacts['error']): Outcome => refusal(challenge(options, call, needed, error))
    if (authorization === undefined) return refuse(undefined)
    const access = tokens.accessOf(/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '')
    if (access === undefined) return refuse('invalid_token')
    return needed.every((one) => access.has(accessKey(one))) ? next(call) : refuse('insufficient_scope')
  }

const challenge = (
  options: AuthOptions,
  call: Call,
  needed: readonly Access[],
  error: ChallengeFacts['error'],
): readonly string[] =>
  (options.challenge ?? challengeForms.usual)({
    realm: realmOf(options, call.urls),
    service: serviceOf(options),
    scope: needed.length === 0 ? undefined : formatScopes(needed),
    error,
  })

const refusal = (lines: readonly string[]): Outcome =>
  errorReply(
    401,
    'UNAUTHORIZED',
    'authentication required',
    lines.map((line): Header => ['www-authenticate', line]),
  )
