import { randomUUID } from 'node:crypto'
import { type Access, accessKey } from './access.ts'

/** What somebody asked the token endpoint for. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST'
  /** Who asked with the right credentials; undefined for nobody. */
  readonly user: string | undefined
  readonly service: string | undefined
  /** As they were written, one by one. */
  readonly scopes: readonly string[]
  /** `password` or `refresh_token`, in a POST. */
  readonly grantType: string | undefined
  readonly clientId: string | undefined
  /** Whether a token came of it. */
  readonly granted: boolean
}

/** The tokens of one server. */
export interface Tokens {
  /** Every request that reached the token endpoint, oldest first. */
  readonly requests: readonly TokenRequest[]
  /** An access token, by the side of the endpoint. Valid for an hour. */
  issue(access: readonly Access[]): string
  /** A refresh token, which Docker calls identity token. */
  issueRefreshToken(user: string): string
  /** No access token that was issued so far is valid any more. Refresh tokens are. */
  expireAll(): void
}

export interface TokenStore extends Tokens {
  readonly requests: TokenRequest[]
  /** @param lifetime seconds */
  grant(access: readonly Access[], lifetime: number): string
  /** What a token allows; undefined when it is not valid. */
  accessOf(token: string): ReadonlySet<string> | undefined
  userOfRefreshToken(token: string): string | undefined
  /** Every token there ever was: none of them may turn up where it does not belong. */
  all(): string[]
}

export const createTokens = (): TokenStore => {
  const valid = new Map<string, { access: ReadonlySet<string>; until: number }>()
  const refresh = new Map<string, string>()
  const issued: string[] = []
  const store: TokenStore = {
    requests: [],
    grant: (access, lifetime) => {
      const token = `access-${randomUUID()}`
      issued.push(token)
      valid.set(token, { access: new Set(access.map(accessKey)), until: Date.now() + lifetime * 1000 })
      return token
    },
    issue: (access) => store.grant(access, 3600),
    issueRefreshToken: (user) => {
      const token = `refresh-${randomUUID()}`
      issued.push(token)
      refresh.set(token, user)
      return token
    },
    accessOf: (token) => {
      const found = valid.get(token)
      return found === undefined || found.until <= Date.now() ? undefined : found.access
    },
    userOfRefreshToken: (token) => refresh.get(token),
    expireAll: () => valid.clear(),
    all: () => issued,
  }
  return store
}
