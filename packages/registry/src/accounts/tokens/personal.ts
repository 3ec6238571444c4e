import { createHash, randomBytes } from 'node:crypto'
import type { TokenKind } from '../../metadata/account-store.ts'
import { isRandomId, randomId } from './random-id.ts'

/** A token that was just made: `text` is shown to its owner and kept nowhere. */
export interface NewSecret {
  readonly id: string
  /** What the store keeps. */
  readonly secretHash: string
  readonly text: string
}

export interface ParsedToken {
  readonly kind: TokenKind
  readonly id: string
  readonly secret: string
}

/** Words of their own, so that scanners of repositories find tokens that were committed. */
const prefixes: Readonly<Record<TokenKind, string>> = { personal: 'stwp', refresh: 'stwr' }

export const makeToken = (kind: TokenKind): NewSecret => {
  const id = randomId()
  const secret = randomBytes(32).toString('base64url')
  return { id, secretHash: hashSecret(secret), text: `${prefixes[kind]}_${id}_${secret}` }
}

/** Lower-case hex of the SHA-256. No slower hash is needed: the secret has 256 random bits. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** `stwp_` or `stwr_`, 16 characters of an id, `_`, 43 of base64url. */
const length = 65

/** The parts of a personal or refresh token; undefined for every other text. Says nothing of whether it is good. */
export const parseToken = (text: string): ParsedToken | undefined => {
  if (text.length !== length || text[4] !== '_' || text[21] !== '_') return undefined
  const prefix = text.slice(0, 4)
  const id = text.slice(5, 21)
  // The secret may have `_` of its own: parts are found by their places.
  const secret = text.slice(22)
  if (!isRandomId(id) || !/^[A-Za-z0-9_-]{43}$/.test(secret)) return undefined
  if (prefix === prefixes.personal) return { kind: 'personal', id, secret }
  return prefix === prefixes.refresh ? { kind: 'refresh', id, secret } : undefined
}

/** Whether a password is one of our tokens rather than a password. */
export const looksLikeToken = (text: string): boolean => parseToken(text) !== undefined
