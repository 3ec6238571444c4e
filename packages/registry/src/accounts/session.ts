import type { Permission } from '../access/permission.ts'
import type { Principal, Within } from '../access/principal.ts'
import type { TokenRow, UserRow } from '../metadata/account-store.ts'
import type { Directory } from './directory.ts'
import type { Htpasswd } from './passwords/htpasswd.ts'

/**
 * Who logged in and with what, as a Bearer token carries it (claim `stw`): just enough to ask at each request whether it still
 * holds. It says nothing of what its holder may do.
 */
export type Session =
  | { readonly kind: 'anonymous' }
  /** `pwd`: when the password was set that was used; `token`: the personal token that was used instead. */
  | { readonly kind: 'user'; readonly uid: string; readonly pwd?: number; readonly token?: string }
  /** `line`: changes with the user's line in the file. */
  | { readonly kind: 'htpasswd'; readonly line: string }
  /** What the host program said of credentials that it knows. It decides itself, in `authorize`, what has become of them. */
  | ({ readonly kind: 'host' } & Omit<Principal, 'kind' | 'name'>)
  /** Ids of the trusted issuers whose conditions its ID token met. */
  | { readonly kind: 'workload'; readonly issuers: readonly string[] }

export interface Sessions {
  /**
   * The principal as of now; undefined when the session has ended: the user was disabled or removed, the password changed,
   * the token revoked or expired, the issuer is trusted no more.
   */
  principal(subject: string, session: Session): Principal | undefined | Promise<Principal | undefined>
}

export interface SessionOptions {
  readonly directory: Directory
  readonly htpasswd: Htpasswd | undefined
  readonly now: () => number
  /** Told that a personal token was used. */
  readonly onTokenUsed: (id: string) => void
}

export const createSessions = (options: SessionOptions): Sessions => {
  const { directory, htpasswd, now } = options

  const ofUser = (subject: string, session: Session & { kind: 'user' }): ReturnType<Sessions['principal']> => {
    const user = directory.user(subject)
    const token = session.token === undefined ? undefined : directory.token(session.token)
    if (user instanceof Promise || token instanceof Promise) {
      return Promise.all([user, token]).then(([row, used]) => userPrincipal(session, row, used))
    }
    return userPrincipal(session, user, token)
  }

  const userPrincipal = (
    session: Session & { kind: 'user' },
    user: UserRow | undefined,
    token: TokenRow | undefined,
  ): Principal | undefined => {
    if (user === undefined || user.id !== session.uid || user.disabledAt !== undefined) return undefined
    if (session.token === undefined) {
      return session.pwd === user.passwordChangedAt ? asPrincipal(user) : undefined
    }
    if (token === undefined || token.userId !== user.id || hasEnded(token, now())) return undefined
    options.onTokenUsed(token.id)
    return asPrincipal(user, token.permissions)
  }

  const ofHtpasswd = async (subject: string, line: string): Promise<Principal | undefined> => {
    // A user of the store takes the name over.
    const shadowed = (await directory.user(subject)) !== undefined
    return !shadowed && htpasswd?.stampOf(subject) === line ? { kind: 'user', name: subject } : undefined
  }

  const ofWorkload = async (subject: string, ids: readonly string[]): Promise<Principal | undefined> => {
    const { issuers } = await directory.state()
    const trusted = issuers.filter(({ id }) => ids.includes(id))
    if (trusted.length === 0) return undefined
    return { kind: 'workload', name: subject, own: trusted.flatMap(({ permissions }) => permissions) }
  }

  return {
    principal: (subject, session) => {
      switch (session.kind) {
        case 'anonymous':
          return { kind: 'anonymous', name: 'anonymous' }
        case 'user':
          return ofUser(subject, session)
        case 'htpasswd':
          return ofHtpasswd(subject, session.line)
        case 'host': {
          const { kind: _, ...said } = session
          return { kind: 'user', name: subject, ...said }
        }
        case 'workload':
          return ofWorkload(subject, session.issuers)
      }
    },
  }
}

export const hasEnded = (token: TokenRow, now: number): boolean =>
  token.expiresAt !== undefined && token.expiresAt <= now

const asPrincipal = (user: UserRow, permissions?: readonly Permission[]): Principal => ({
  kind: 'user',
  name: user.name,
  groups: user.groups,
  administrator: user.administrator,
  ...(permissions !== undefined && { within: [{ kind: 'token', permissions }] }),
})

export const narrowed = (principal: Principal, within: Within): Principal => ({
  ...principal,
  within: [...(principal.within ?? []), within],
})
