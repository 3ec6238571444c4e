import type { AccessControl } from '../access/access.ts'
import type { PermissionAction } from '../access/permission.ts'
import type { Principal } from '../access/principal.ts'
import { RegistryError } from '../errors.ts'
import type { AccountStore } from '../metadata/account-store.ts'
import { type LoggedIn, type Login, wrongCredentials } from './login.ts'
import type { Sessions } from './session.ts'
import type { TokenGrant, TokenRequest, TokenService } from './token-service.ts'
import type { Bearer } from './tokens/bearer.ts'
import { makeToken } from './tokens/personal.ts'
import { formatScopes, intersect, parseScopes, requestedIn, type ResourceActions } from './tokens/scope.ts'

export interface TokenIssuerOptions {
  readonly store: AccountStore
  /** The one that requests meet. */
  readonly authorize: NonNullable<AccessControl['authorize']>
  readonly login: Login
  readonly sessions: Sessions
  readonly bearer: Bearer
  readonly service: string
  readonly now: () => number
}

/** Milliseconds since `docker login`, however often it is used, after which that is asked for once more: 90 days. */
const refreshLife = 90 * 24 * 3_600_000

/** Scopes: who has not logged in needs that of one repository, or of a few to mount from. */
const mostForNobody = 20

const all = ['pull', 'push', 'delete'] as const

/** Gives Bearer tokens: what was asked for, as far as its holder may. */
export const createTokenIssuer = (options: TokenIssuerOptions): TokenService => {
  const { store, authorize, login, sessions, bearer, service, now } = options

  const logIn = async (grant: TokenGrant, address: string | undefined): Promise<LoggedIn> => {
    switch (grant.kind) {
      case 'anonymous':
        return { subject: 'anonymous', session: { kind: 'anonymous' } }
      case 'password':
        return login.withPassword(grant.name, grant.password, address)
      case 'refresh_token':
        return login.withRefreshToken(grant.token)
      case 'exchange':
        return login.withIdToken(grant.token, address)
    }
  }

  /** Only for users of the store: what others were is not kept here, so it could not be asked for again. */
  const refreshToken = async (request: TokenRequest, { session }: LoggedIn): Promise<string | undefined> => {
    if (!request.offline || request.grant.kind === 'refresh_token' || session.kind !== 'user') return undefined
    const { id, secretHash, text } = makeToken('refresh')
    const at = now()
    const added = await store.addToken({
      id,
      kind: 'refresh',
      userId: session.uid,
      user: '',
      label: (request.clientId ?? 'a client').slice(0, 100),
      secretHash,
      createdAt: at,
      expiresAt: at + refreshLife,
      ...(session.token !== undefined && { parentId: session.token }),
      ...(session.token === undefined && session.pwd !== undefined && { passwordChangedAt: session.pwd }),
    })
    return added === 'added' ? text : undefined
  }

  /** Asks as a request would be asked, so that a token never says more, or less, than what is then allowed. */
  const allowedIn = async (
    principal: Principal,
    requested: readonly ResourceActions[],
  ): Promise<ReadonlyMap<string, ReadonlySet<PermissionAction>>> => {
    const allowed = new Map<string, Set<PermissionAction>>()
    for (const [repository, wanted] of requestedIn(requested)) {
      // `*` is all of them. What was not asked for is not asked about: a host's `authorize` may cost a query.
      const actions = all.filter((action) => wanted.has(action) || wanted.has('*'))
      const verdicts = await Promise.all(actions.map(async (action) => authorize(principal, action, { repository })))
      const granted = new Set<PermissionAction>(actions.filter((_action, index) => verdicts[index]?.allow === true))
      if (granted.size === all.length) granted.add('administer')
      allowed.set(repository, granted)
    }
    return allowed
  }

  return {
    issue: async (request) => {
      if (request.service !== undefined && request.service !== service) {
        throw new RegistryError(
          'query-invalid',
          `The parameter \`service\` is not the one of this registry, ${service}.`,
        )
      }
      const requested = parseScopes(request.scopes, request.grant.kind === 'anonymous' ? mostForNobody : undefined)
      const loggedIn = await logIn(request.grant, request.remoteAddress)
      const principal: Principal | undefined = await sessions.principal(loggedIn.subject, loggedIn.session)
      if (principal === undefined) throw wrongCredentials()
      const allowed = await allowedIn(principal, requested)
      const access = intersect(requested, (action, repository) => allowed.get(repository)?.has(action) === true)
      const issued = await bearer.issue({ subject: loggedIn.subject, stw: loggedIn.session, access })
      const refresh = await refreshToken(request, loggedIn)
      return {
        ...issued,
        subject: loggedIn.subject,
        scope: formatScopes(access),
        ...(refresh !== undefined && { refreshToken: refresh }),
      }
    },
  }
}
