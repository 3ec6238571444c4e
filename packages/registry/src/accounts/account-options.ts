import type { Principal } from '../access/principal.ts'
import type { Rule } from '../access/rules.ts'
import type { Issuer } from './accounts.ts'

/** Turns the registry's own accounts on: users, tokens, rules and the token endpoint `/auth/token`. */
export interface AccountOptions {
  /**
   * Seals the signing keys in the database; at least 32 characters. Default: a file `secret.key` in the data directory, made
   * at the first start. Needed where the host brings the stores. Whoever loses it loses the Bearer tokens of the moment.
   */
  readonly secret?: string
  /** The first administrator, made when there is no user at all. There is no default password. */
  readonly firstAdministrator?: { readonly name: string; readonly password: string }
  /** Rules besides those in the database. */
  readonly rules?: readonly Omit<Rule, 'id'>[]
  /** Trusted issuers besides those in the database. */
  readonly issuers?: readonly Issuer[]
  /** An htpasswd file (bcrypt), read again when it changes. A user of the database goes before one of the same name here. */
  readonly htpasswd?: string
  /**
   * Credentials that the host program knows (a licence key, say). Undefined: they are wrong. Asked for every name, so that
   * nobody can tell by the time it takes which names the registry has itself; where it has a user of this name, the answer
   * counts for nothing. Its principals can use the token endpoint like users.
   */
  readonly credentials?: (name: string, password: string) => Principal | undefined | Promise<Principal | undefined>
  /** A token server elsewhere, whose tokens are then the only Bearer tokens that are taken. */
  readonly tokenServer?: TokenServer
  /** The `service` of the challenge and the audience of tokens. Default: the host of `publicUrl`, or `stowage`. */
  readonly service?: string
  /** Seconds that a Bearer token is good for, 60 to 3600. Default 600. */
  readonly tokenLifetime?: number
  /** Of new signing keys. Default EdDSA. */
  readonly signingAlgorithm?: 'EdDSA' | 'ES256'
}

/** A token server that speaks Docker's token protocol. What its tokens' `access` says is what their holder may do. */
export interface TokenServer {
  /** Where clients are sent for a token. */
  readonly realm: string
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** Where its public keys are: the URL of a JWKS, or the path of a file with one. */
  readonly jwks: string
}
