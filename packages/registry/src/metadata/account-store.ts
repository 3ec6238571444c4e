import type { Permission } from '../access/permission.ts'
import type { RuleSubject } from '../access/rules.ts'
import type { Page } from './metadata-store.ts'

/**
 * Where accounts, tokens, rules, trusted issuers and signing keys are kept. Part of the metadata store: each method is one
 * transaction, durable when its promise resolves, except where it says otherwise. Times are milliseconds since the epoch.
 * Nothing in here is a usable credential: passwords and tokens are hashed, private keys are sealed.
 */
export interface AccountStore {
  /** Grows with every change that could change a verdict, in the transaction of that change. */
  accessVersion(): Promise<number>

  findUser(name: string): Promise<UserRow | undefined>
  /** In byte order of their names. */
  listUsers(page: Page): Promise<UserRow[]>
  /** @param onlyFirst Adds nothing when there is any user already: exactly one of many that try at once is the first. */
  addUser(user: UserRow, onlyFirst: boolean): Promise<'added' | 'exists' | 'not-first'>
  /**
   * What is not named stays. A new password, or to be disabled, ends the refresh tokens of the user. Undefined: there is no
   * such user.
   */
  changeUser(name: string, change: UserChange): Promise<UserRow | undefined>
  /** Its tokens, and the rules that name it, go with it. False: there was none. */
  removeUser(name: string): Promise<boolean>

  /**
   * A refresh token does not move the version: nobody can have asked for it before. A user has at most
   * `mostRefreshTokens` of one parent, and as many without one; the oldest goes for a new one, which does not move it either.
   *
   * `user-unknown`: nothing was written, because the user or the parent is gone, or it is a refresh token and the user is
   * disabled, or has another password than the one it was got with.
   */
  addToken(token: TokenRow): Promise<'added' | 'user-unknown'>
  findToken(id: string): Promise<TokenRow | undefined>
  /** By user and age, oldest first; `last` is the id of a token. Where that is gone, the first page. */
  listTokens(page: Page & { readonly user?: string; readonly kind?: TokenKind }): Promise<TokenRow[]>
  /** Refresh tokens that were got with it go too. */
  removeToken(id: string): Promise<boolean>
  /** Not durable. Tokens that are gone are skipped; does not move the version. */
  touchTokens(uses: readonly { readonly id: string; readonly at: number }[]): Promise<void>
  /** Removes tokens that ended before `before`, in transactions of their own. Gives how many. */
  removeExpiredTokens(before: number): Promise<number>

  /** In the order of their ids. */
  listRules(): Promise<RuleRow[]>
  /** False when the same rule (subject, repositories and actions) is there already: nothing was written. */
  addRule(rule: Omit<RuleRow, 'id'>): Promise<RuleRow | false>
  removeRule(id: number): Promise<boolean>

  listIssuers(): Promise<IssuerRow[]>
  /** False when there is one of this name. */
  addIssuer(issuer: IssuerRow): Promise<boolean>
  removeIssuer(name: string): Promise<boolean>

  /** Newest first. */
  listSigningKeys(): Promise<SigningKeyRow[]>
  /**
   * Adds a key. `ifNewestIs` makes it conditional: of many processes that make a first or next key at once, one wins and the
   * others read its key. `null`: only if there is no key. Its `createdAt` becomes later than that of the newest.
   */
  addSigningKey(key: SigningKeyRow, ifNewestIs: string | null): Promise<boolean>
  removeSigningKey(id: string): Promise<boolean>
}

export interface UserRow {
  /** Never used twice, also when a name is: a token of a user who was deleted opens nothing of a later one. */
  readonly id: string
  readonly name: string
  /** PHC string; without one the user has no password and can only use tokens. */
  readonly passwordHash?: string
  readonly administrator: boolean
  readonly groups: readonly string[]
  readonly disabledAt?: number
  readonly createdAt: number
  /** When the password was last set: what was signed for an older one is refused. */
  readonly passwordChangedAt: number
}

export interface UserChange {
  readonly passwordHash?: string
  /** Goes with `passwordHash`. Becomes at least one more than the last one was. */
  readonly passwordChangedAt?: number
  readonly administrator?: boolean
  readonly groups?: readonly string[]
  /** `null` enables. */
  readonly disabledAt?: number | null
}

export type TokenKind = 'personal' | 'refresh'

/** Of one user and one parent. A client that logs in again and again must not fill the store. */
export const mostRefreshTokens = 50

export interface TokenRow {
  /** The public part; a name for the token in lists and logs. */
  readonly id: string
  readonly kind: TokenKind
  readonly userId: string
  /** Name of the user; filled in by the store from `userId` when it reads. */
  readonly user: string
  /** What it is for, in the words of its owner; the client of a refresh token. */
  readonly label: string
  /** Lower-case hex of the SHA-256 of the secret part, which has 256 random bits. */
  readonly secretHash: string
  /** Narrows what the user may; undefined: everything the user may. */
  readonly permissions?: readonly Permission[]
  readonly createdAt: number
  readonly expiresAt?: number
  readonly lastUsedAt?: number
  /** The personal token it was got with. */
  readonly parentId?: string
  /** Of a refresh token without a parent: the `passwordChangedAt` of the password it was got with. */
  readonly passwordChangedAt?: number
}

export interface RuleRow extends Permission {
  /** Grows, never used twice. */
  readonly id: number
  readonly subject: RuleSubject
  readonly createdAt: number
}

/** An OIDC issuer whose tokens are taken for credentials. */
export interface IssuerRow {
  /** Never used twice: what was signed for an issuer that was removed is refused. */
  readonly id: string
  /** Of lower-case letters, digits and hyphens: begins the names of its workloads. */
  readonly name: string
  /** The `iss` of its tokens, exactly. */
  readonly issuer: string
  readonly audience: string
  /** Where its keys are; undefined: what its discovery document says. */
  readonly jwksUri?: string
  /** Claims that must be there, each with a glob that its value (a string, number or boolean) must match. */
  readonly conditions: Readonly<Record<string, string>>
  readonly permissions: readonly Permission[]
  readonly createdAt: number
}

export interface SigningKeyRow {
  /** The `kid`. */
  readonly id: string
  readonly algorithm: 'EdDSA' | 'ES256'
  /** The public key as a JWK, JSON text. */
  readonly publicKey: string
  /** The private key as a JWK, encrypted (compact JWE) under the registry's secret. */
  readonly sealedPrivateKey: string
  readonly createdAt: number
}
