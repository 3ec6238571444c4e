/** What the token endpoint asks for, once a request for a token was understood. */
export interface TokenService {
  /** @throws RegistryError `unauthorized` with the hint `invalid-credentials`, `too-many-requests`, `overloaded` or `query-invalid`. */
  issue(request: TokenRequest): Promise<TokenAnswer>
}

export interface TokenRequest {
  readonly grant: TokenGrant
  /** As they came, each may hold several with spaces between. */
  readonly scopes: readonly string[]
  /** Must be the registry's own when it is given. */
  readonly service?: string
  /** Whether a refresh token is wanted. */
  readonly offline: boolean
  /** The client by its own word, for the label of a refresh token. */
  readonly clientId?: string
  readonly remoteAddress: string | undefined
}

export type TokenGrant =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  | { readonly kind: 'refresh_token'; readonly token: string }
  /** RFC 8693: the token of a trusted issuer for one of ours. */
  | { readonly kind: 'exchange'; readonly token: string }

export interface TokenAnswer {
  /** Who logged in; for logs. */
  readonly subject?: string
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
  /** ISO 8601. */
  readonly issuedAt: string
  readonly refreshToken?: string
  /** What was granted, with spaces between; may be empty. */
  readonly scope: string
}
