import { hash, randomUUID } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { RegistryError } from '../../errors.ts'
import type { Session } from '../session.ts'
import { type KeyRing, longestTokenLifetime } from './key-ring.ts'
import { parseAccess, type ResourceActions } from './scope.ts'

/** Bearer tokens of the registry itself: JWTs that it signs and that only its own keys verify. */
export interface Bearer {
  /** @throws RegistryError `query-invalid` when the token would be longer than the registry takes. */
  issue(token: {
    readonly subject: string
    readonly stw: Session
    readonly access: readonly ResourceActions[]
  }): Promise<IssuedToken>
  /**
   * What a good token says; at once when it was verified before.
   *
   * @throws RegistryError `unauthorized`, the same whatever is wrong with it.
   */
  verify(token: string): BearerClaims | Promise<BearerClaims>
  /** Forgets which tokens are good: keys may have been revoked. */
  forget(): void
}

export interface IssuedToken {
  readonly token: string
  /** Seconds. */
  readonly expiresIn: number
  /** ISO 8601. */
  readonly issuedAt: string
}

/** The same object for a token as long as it is remembered. */
export interface BearerClaims {
  readonly sub: string
  readonly stw: Session
  readonly access: readonly ResourceActions[]
  /** Seconds since the epoch. */
  readonly iat: number
  readonly exp: number
  readonly jti: string
}

export interface BearerOptions {
  readonly keys: KeyRing
  /** Issuer and audience. */
  readonly service: string
  /** Seconds, 60 to 3600. */
  readonly lifetime: number
  readonly now: () => number
}

/** Characters. What is longer is refused unread (compare CVE-2025-30204: a token of dots, split before it was measured). */
export const longestToken = 8192

/** Seconds that the clock of the process that signed may be ahead. */
const skew = 60

export const createBearer = (options: BearerOptions): Bearer => {
  const { keys, service, lifetime, now } = options
  if (!Number.isInteger(lifetime) || lifetime < 60 || lifetime > longestTokenLifetime) {
    throw new RangeError(`tokenLifetime is a whole number of seconds from 60 to ${longestTokenLifetime}.`)
  }
  /** By their SHA-256, so that no token that still opens something lies in memory. Sized by the text they were made of. */
  const verified = new LRUCache<string, BearerClaims>({ max: 10_000, maxSize: 8 * 1024 * 1024 })
  let generation = 0

  const check = async (token: string, digest: string): Promise<BearerClaims> => {
    const began = generation
    const claims = await claimsOf(token).catch((error: unknown) => {
      // Whatever the library finds wrong is wrong with the token. A database that does not answer is not.
      if (error instanceof StoreFailed) throw error.cause
      throw error instanceof RegistryError ? error : invalidToken()
    })
    if (began === generation) verified.set(digest, claims, { size: token.length })
    return claims
  }

  const claimsOf = async (token: string): Promise<BearerClaims> => {
    const kid = keyIdOf(token)
    const key = await keys.verifier(kid).catch((error: unknown) => {
      throw new StoreFailed(error)
    })
    if (key === undefined) throw invalidToken()
    const { payload } = await jwtVerify(token, key.publicKey, {
      // Of the key, never of the token.
      algorithms: [key.algorithm],
      issuer: service,
      audience: service,
      typ: 'JWT',
      requiredClaims: ['sub', 'exp', 'nbf', 'iat', 'jti', 'access', 'stw'],
      clockTolerance: skew,
      currentDate: new Date(now()),
    })
    return checkClaims(payload, now())
  }

  return {
    issue: async ({ subject, stw, access }) => {
      const key = await keys.current()
      const issuedAt = Math.floor(now() / 1000)
      const token = await new SignJWT({ access, stw })
        .setProtectedHeader({ alg: key.algorithm, typ: 'JWT', kid: key.id })
        .setIssuer(service)
        .setAudience(service)
        .setSubject(subject)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(issuedAt + lifetime)
        .setJti(randomUUID())
        .sign(key.privateKey)
      if (token.length > longestToken) {
        throw new RegistryError('query-invalid', 'A token for all these scopes is too long. Ask for fewer at once.')
      }
      return { token, expiresIn: lifetime, issuedAt: new Date(issuedAt * 1000).toISOString() }
    },
    verify: (token) => {
      if (token.length > longestToken) throw invalidToken()
      const digest = hash('sha256', token, 'base64')
      const known = verified.get(digest)
      if (known === undefined) return check(token, digest)
      if (known.exp * 1000 > now()) return known
      verified.delete(digest)
      throw invalidToken()
    },
    forget: () => {
      generation += 1
      verified.clear()
    },
  }
}

/** The database failed, which is not the token's fault. */
class StoreFailed extends Error {
  override readonly name = 'StoreFailed'

  constructor(cause: unknown) {
    super('The keys cannot be read.', { cause })
  }
}

/** All that our own tokens have: `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64` and whatever comes next name keys or change rules. */
const headerMembers = ['alg', 'kid', 'typ']

/** The `kid` of a token that could be ours by its header. */
const keyIdOf = (token: string): string => {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second === -1) throw invalidToken()
  if (!/^[A-Za-z0-9_.-]+$/.test(token)) throw invalidToken()
  // No third dot. And the last character of base64 has bits that stand for nothing: a token would have sixteen spellings.
  const signature = token.slice(second + 1)
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) throw invalidToken()
  const header = decodeProtectedHeader({ protected: token.slice(0, first) })
  const members = Object.keys(header).toSorted()
  if (members.join() !== headerMembers.join() || header.typ !== 'JWT' || typeof header.kid !== 'string') {
    throw invalidToken()
  }
  return header.kid
}

const checkClaims = (payload: JWTPayload, now: number): BearerClaims => {
  const { sub, exp, iat, jti } = payload
  const { access, stw } = payload as { access?: unknown; stw?: unknown }
  if (typeof sub !== 'string' || typeof jti !== 'string' || exp === undefined || iat === undefined) throw invalidToken()
  // The library's tolerance is for clocks that are behind, not for tokens that have ended.
  if (exp * 1000 <= now || iat * 1000 > now + skew * 1000 || exp - iat > longestTokenLifetime) throw invalidToken()
  if (!Array.isArray(access) || typeof stw !== 'object' || stw === null || !('kind' in stw)) throw invalidToken()
  return { sub, exp, iat, jti, access: parseAccess(access), stw: stw as Session }
}

const invalidToken = (): RegistryError =>
  new RegistryError('unauthorized', 'The Bearer token is not good, or not any more. Get a new one.', {
    hints: { login: 'invalid-token' },
  })
