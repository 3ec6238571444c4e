import type { AccessControl } from '../access/access.ts'
import { anonymous, type Principal, type Within } from '../access/principal.ts'
import { RegistryError } from '../errors.ts'
import { parseAuthorization } from './authorization-header.ts'
import type { Directory } from './directory.ts'
import { type Login, wrongCredentials } from './login.ts'
import { narrowed, type Sessions } from './session.ts'
import type { Bearer, BearerClaims } from './tokens/bearer.ts'
import type { ExternalTokens } from './tokens/external.ts'
import { toPermissions } from './tokens/scope.ts'

export interface AuthenticateOptions {
  readonly directory: Directory
  readonly login: Login
  readonly sessions: Sessions
  readonly bearer: Bearer
  /** When it is there, its tokens are the only Bearer tokens that are taken. */
  readonly external: ExternalTokens | undefined
}

/** Who sends a request, by its `Authorization`: Basic, a Bearer token, or nothing. */
export const createAuthenticate = (options: AuthenticateOptions): NonNullable<AccessControl['authenticate']> => {
  const { directory, login, sessions, bearer, external } = options
  /** The permissions of a verified token, as long as its claims are kept. */
  const scopes = new WeakMap<BearerClaims, Within>()

  const withinOf = (claims: BearerClaims): Within => {
    const known = scopes.get(claims)
    if (known !== undefined) return known
    const within: Within = { kind: 'scopes', ...toPermissions(claims.access) }
    scopes.set(claims, within)
    return within
  }

  const resume = (claims: BearerClaims): Principal | Promise<Principal> => {
    const principal = sessions.principal(claims.sub, claims.stw)
    if (principal instanceof Promise) return principal.then((settled) => inScopes(settled, claims))
    return inScopes(principal, claims)
  }

  const inScopes = (principal: Principal | undefined, claims: BearerClaims): Principal => {
    if (principal === undefined) throw sessionEnded()
    return narrowed(principal, withinOf(claims))
  }

  const ofBearer = (token: string): Principal | Promise<Principal> => {
    const claims = bearer.verify(token)
    return claims instanceof Promise ? claims.then(resume) : resume(claims)
  }

  return (request) => {
    const authorization = parseAuthorization(request.header('authorization'))
    if (authorization === undefined) return anonymous
    switch (authorization.scheme) {
      case 'basic':
        return login
          .withPassword(authorization.name, authorization.password, request.remoteAddress)
          .then(async ({ subject, session }) => {
            const principal = await sessions.principal(subject, session)
            if (principal === undefined) throw wrongCredentials()
            return principal
          })
      case 'bearer': {
        if (external !== undefined) return external.verify(authorization.token)
        // First: what it finds out may be that the key of this token was revoked.
        const state = directory.state()
        return state instanceof Promise
          ? state.then(() => ofBearer(authorization.token))
          : ofBearer(authorization.token)
      }
      case 'unknown':
        throw new RegistryError('unauthorized', 'The registry takes Basic and Bearer in `Authorization`.', {
          hints: { login: 'invalid-credentials' },
        })
    }
  }
}

const sessionEnded = (): RegistryError =>
  new RegistryError('unauthorized', 'The token has been revoked, or its user has changed. Log in again.', {
    hints: { login: 'invalid-token' },
  })
