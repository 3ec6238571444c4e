import type { Permission, PermissionAction } from '../access/permission.ts'
import type { Decision, Rule, RuleSubject } from '../access/rules.ts'

/**
 * Administration of the registry's own accounts: what the commands `stowage user`, `token`, `access`, `issuer` and `key` do,
 * for programs. Whoever has this object may do everything; changes hold from the next request on in this process, and
 * within a second in others on the same database. Times are milliseconds since the epoch.
 *
 * Every method rejects with an `AccountError`: `invalid` names the field, `unknown` and `exists` what is (not) there.
 */
export interface Accounts {
  addUser(user: NewUser): Promise<User>
  /** Ends what was signed in with the old password, at once. */
  setPassword(name: string, password: string): Promise<User>
  changeUser(
    name: string,
    change: { readonly administrator?: boolean; readonly groups?: readonly string[]; readonly disabled?: boolean },
  ): Promise<User>
  /** With its tokens and the rules that name it. */
  removeUser(name: string): Promise<void>
  /** By name; at most `limit` (default 100) after `last`. */
  listUsers(page?: { readonly last?: string; readonly limit?: number }): Promise<User[]>

  /** The secret is shown here and never again. */
  addToken(token: NewToken): Promise<{ readonly token: PersonalToken; readonly secret: string }>
  /** Personal ones, unless `kind` says that those are meant which clients got at a login to stay logged in. */
  listTokens(page?: {
    readonly kind?: PersonalToken['kind']
    readonly user?: string
    readonly last?: string
    readonly limit?: number
  }): Promise<PersonalToken[]>
  removeToken(id: string): Promise<void>

  addRule(rule: Omit<Rule, 'id'>): Promise<Rule>
  /** Those of the store, and those of the configuration, which have no id. */
  listRules(): Promise<Rule[]>
  removeRule(id: number): Promise<void>

  addIssuer(issuer: Issuer): Promise<Issuer>
  listIssuers(): Promise<Issuer[]>
  removeIssuer(name: string): Promise<void>

  listKeys(): Promise<Key[]>
  /**
   * Signs with a new key from now on; tokens of the old ones are good for as long as they were to be.
   *
   * @param options.revoke Removes the old ones: every Bearer token that was issued is refused at once.
   */
  rotateKeys(options?: { readonly revoke?: boolean }): Promise<Key>

  /** What decides whether somebody may do something. `name` undefined: somebody without credentials. */
  explain(question: Question): Promise<Explanation>
}

export interface NewUser {
  /** Letters, digits and `._@+-`, at most 128, the first a letter or digit; not `anonymous`. */
  readonly name: string
  /** At least 8 characters, at most 1024 bytes. Without one the user can only use tokens. */
  readonly password?: string
  readonly administrator?: boolean
  readonly groups?: readonly string[]
}

export interface User {
  readonly name: string
  readonly administrator: boolean
  readonly groups: readonly string[]
  readonly disabled: boolean
  readonly hasPassword: boolean
  readonly createdAt: number
}

export interface NewToken {
  readonly user: string
  /** What it is for; at most 100 characters. */
  readonly label: string
  /** What it may do of what its user may; without it everything. */
  readonly permissions?: readonly Permission[]
  /** Seconds from now; without it the token does not end by itself. */
  readonly expiresIn?: number
}

export interface PersonalToken {
  readonly id: string
  /** `refresh`: a client got it at a login with a password or a personal token, and keeps it in place of that. */
  readonly kind: 'personal' | 'refresh'
  readonly user: string
  readonly label: string
  readonly permissions?: readonly Permission[]
  readonly createdAt: number
  readonly expiresAt?: number
  /** At most a minute behind. */
  readonly lastUsedAt?: number
}

/** An OIDC issuer whose tokens are taken for credentials: a CI system, a cluster. */
export interface Issuer {
  /** Lower-case letters, digits and hyphens: begins the names of its workloads. */
  readonly name: string
  /** The `iss` of its tokens, an https URL (http on the loopback address). */
  readonly issuer: string
  /** Has to be among the `aud` of a token. */
  readonly audience: string
  /** Where its keys are; without it the discovery document of the issuer says so. */
  readonly jwksUri?: string
  /** Claims that a token must have, each with a glob that its value must match. Never empty: CI systems are shared. */
  readonly conditions: Readonly<Record<string, string>>
  readonly permissions: readonly Permission[]
}

export interface Key {
  readonly id: string
  readonly algorithm: 'EdDSA' | 'ES256'
  readonly createdAt: number
  /** Whether it signs. Others only verify. */
  readonly current: boolean
}

export interface Question {
  readonly name?: string
  readonly action: PermissionAction
  readonly repository: string
  readonly tag?: string
}

export interface Explanation {
  readonly allowed: boolean
  readonly decision: Decision | { readonly allowed: false; readonly because: 'disabled' }
  /** The policy that forbids it although a rule allows it. */
  readonly policy?: 'read-only' | 'deletion-disabled' | 'immutable-tag'
  /** In words. */
  readonly because: string
}

export type { Permission, PermissionAction, Rule, RuleSubject }
