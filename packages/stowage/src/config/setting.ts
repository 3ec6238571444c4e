/** What can be said of a setting. See `settings.ts`. */
export interface Setting {
  readonly kind: Kind
  /** What it does, in one sentence without a full stop. */
  readonly about: string
  /** As it would be written in the configuration file. Without one the setting is unset. */
  readonly default?: string | number | boolean
  /** Least value; seconds, bytes, bytes a second, or how many. */
  readonly least?: number
  readonly most?: number
  /** Only whole seconds. */
  readonly whole?: true
  /** Further names in the environment, besides the one made from the key. */
  readonly aliases?: readonly string[]
  /** Names in the environment that say the opposite: their yes is this setting's no. */
  readonly opposites?: readonly string[]
  /** All places that say something must say the same: none goes before another. */
  readonly unanimous?: true
  /** Means nothing unless `auth` is on: to give it without that stops the start. */
  readonly needsAuth?: true
  /** Shown by `stowage serve --help` among the first. */
  readonly common?: true
}

/** The forms that values have: see `kinds.ts`, and `lists.ts` for lists of items. */
export type Kind = keyof KindValues

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** What may be allowed on repositories; the registry's own list. */
export const actions = ['pull', 'push', 'overwrite', 'delete', 'administer'] as const

export interface KindValues {
  address: string
  path: string
  url: string
  /** A URL that is taken to the letter. */
  endpoint: string
  boolean: boolean
  /** Like a boolean, in words that suit a switch. */
  switch: boolean
  /** Seconds. */
  duration: number
  /** Bytes. */
  size: number
  /** How many. */
  count: number
  origins: readonly string[] | '*'
  level: (typeof logLevels)[number]
  text: string
  /** What a registry is called in tokens. */
  service: string
  /** The name of a user. */
  user: string
  /** Never shown, and not taken from the command line, which everybody on the machine can read. */
  secret: string
  /** The URL of a JWKS, or the path of a file with one. */
  keys: string
  rules: readonly RuleItem[]
  issuers: readonly IssuerItem[]
  /** `repositories:tags`, both globs. */
  tags: readonly string[]
  quotas: readonly QuotaItem[]
  /** Addresses, and networks as `10.0.0.0/8`. */
  networks: readonly string[]
  retention: readonly RetentionItem[]
}

export interface PermissionItem {
  readonly repositories: string
  readonly actions: readonly (typeof actions)[number][]
}

export interface RuleItem extends PermissionItem {
  /** `user:ada`, `group:dev`, `authenticated` or `anonymous`. */
  readonly subject: string
}

export interface IssuerItem {
  readonly name: string
  readonly issuer: string
  readonly audience: string
  readonly jwksUri?: string
  readonly conditions: Readonly<Record<string, string>>
  readonly permissions: readonly PermissionItem[]
}

export type QuotaItem =
  | { readonly repositories: string; readonly bytes: number }
  | { readonly user: string; readonly bytes: number }

/** Times in seconds. */
export interface RetentionItem {
  readonly repositories: string
  readonly keep?: {
    readonly newest?: number
    readonly youngerThan?: number
    readonly pulledWithin?: number
    /** Globs, or `semver`. */
    readonly matching?: readonly string[]
  }
  readonly untagged?: boolean
}
