import { decodeJwt, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { RegistryError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { IssuerRow } from '../../metadata/account-store.ts'
import { trustedAlgorithms } from './algorithms.ts'
import { meetsConditions } from './conditions.ts'
import { createDiscovery } from './discovery.ts'
import { type Fetch, UnavailableError } from './remote-document.ts'
import { createRemoteKeys } from './remote-keys.ts'
import { workloadName } from './workload-name.ts'

export type TrustedIssuer = Pick<IssuerRow, 'name' | 'issuer' | 'audience' | 'jwksUri' | 'conditions'>

/** Who came with a good ID token. */
export interface Workload<Entry extends TrustedIssuer> {
  /** `<issuer>:<subject>`, by the first of `issuers`. */
  readonly name: string
  /** As the token has it. */
  readonly subject: string
  /**
   * All entries whose audience and conditions the token meets, in the order they were given in; at least one. What any of
   * them permits is permitted: as with rules, order means nothing.
   */
  readonly issuers: readonly Entry[]
}

export interface Workloads {
  /**
   * Undefined: this is no token, or none of these issuers'.
   *
   * @throws RegistryError `unauthorized` when it is one of theirs and not good, `overloaded` when their keys cannot be had.
   */
  verify<Entry extends TrustedIssuer>(jwt: string, issuers: readonly Entry[]): Promise<Workload<Entry> | undefined>
}

export interface WorkloadsOptions {
  readonly now: () => number
  readonly logger: Logger
  readonly fetch?: Fetch
  /** Milliseconds that one answer of an issuer may take. Default 5000. */
  readonly timeout?: number
}

/** Characters. */
const longestToken = 16 * 1024

/** Seconds since a token was issued, whatever its `exp`: it is for a job, and jobs end. */
const longestAge = 24 * 3600

/** Seconds that the clock of an issuer may be ahead. */
const skew = 60

/** Seconds after which a client may ask again when an issuer does not answer. */
const retryAfter = 10

export const createWorkloads = (options: WorkloadsOptions): Workloads => {
  const { now, logger, fetch = globalThis.fetch, timeout = 5000 } = options

  const failed = (where: object, reason: string): void =>
    logger.warn(
      { ...where, reason },
      'The keys of a trusted issuer cannot be had: its tokens are refused until they can.',
    )

  const discover = createDiscovery({ fetch, now, timeout, onFailure: (issuer, reason) => failed({ issuer }, reason) })
  const keySets = new LRUCache<string, JWTVerifyGetKey>({ max: 100 })

  const keysAt = (url: string): JWTVerifyGetKey => {
    const known = keySets.get(url)
    if (known !== undefined) return known
    const keys = createRemoteKeys({ url, fetch, now, timeout, onFailure: (reason) => failed({ keys: url }, reason) })
    keySets.set(url, keys)
    return keys
  }

  const claimsOf = async (jwt: string, issuer: string, jwksUri: string | undefined): Promise<Claims> => {
    const keys = keysAt(jwksUri ?? (await discover(issuer)))
    const { payload } = await jwtVerify(jwt, keys, {
      algorithms: trustedAlgorithms,
      issuer,
      requiredClaims: ['sub', 'aud', 'exp'],
      maxTokenAge: longestAge,
      clockTolerance: skew,
      currentDate: new Date(now()),
    })
    return checkClaims(payload, now())
  }

  /** Undefined when it is not good; what is wrong with it goes to the log, for whoever sets a job up. */
  const claimsIfGood = async (
    jwt: string,
    issuer: string,
    jwksUri: string | undefined,
  ): Promise<Claims | undefined> => {
    try {
      return await claimsOf(jwt, issuer, jwksUri)
    } catch (error) {
      if (error instanceof UnavailableError) throw error
      const reason = error instanceof Error ? error.message : 'unknown'
      logger.debug({ issuer, reason }, 'A token of a trusted issuer was refused.')
      return undefined
    }
  }

  return {
    verify: async (jwt, issuers) => {
      const claimed = claimedIssuer(jwt)
      const entries = issuers.filter(({ issuer }) => issuer === claimed)
      const [first] = entries
      if (first === undefined) return undefined
      // Entries of one issuer mostly have their keys in one place, which is then asked once.
      const places = [...new Set(entries.map(({ jwksUri }) => jwksUri))]
      const settled = await Promise.allSettled(places.map((place) => claimsIfGood(jwt, first.issuer, place)))
      const good = new Map(
        settled.flatMap((one, at) =>
          one.status === 'fulfilled' && one.value !== undefined ? [[places[at], one.value]] : [],
        ),
      )
      const matching = entries.filter((entry) => {
        const claims = good.get(entry.jwksUri)
        return claims !== undefined && hasAudience(claims, entry.audience) && meetsConditions(entry.conditions, claims)
      })
      const [named] = matching
      const claims = named && good.get(named.jwksUri)
      if (named !== undefined && claims !== undefined) {
        return { name: workloadName(named.name, claims.sub), subject: claims.sub, issuers: matching }
      }
      if (settled.some(({ status }) => status === 'rejected')) throw unavailable()
      if (good.size === 0) throw refused('is not good: its signature, its times or its claims are wrong')
      logger.debug(
        { issuer: first.issuer },
        'A good token of a trusted issuer was refused: no entry has its audience and conditions that it meets.',
      )
      throw refused('is good, but its audience or its claims are not those that this registry asks for')
    },
  }
}

type Claims = JWTPayload & { readonly sub: string }

/** @throws Error that says what is wrong. */
const checkClaims = (payload: JWTPayload, now: number): Claims => {
  const { sub, exp } = payload
  if (typeof sub !== 'string' || sub === '') throw new Error('The subject is empty.')
  // The library's tolerance is for clocks that are behind, not for tokens that have ended.
  if (exp === undefined || exp * 1000 <= now) throw new Error('It has expired.')
  return { ...payload, sub }
}

const hasAudience = ({ aud }: Claims, audience: string): boolean =>
  Array.isArray(aud) ? aud.includes(audience) : aud === audience

/** The `iss` of a token that nobody has verified yet: good for choosing among those that are trusted, and nothing else. */
const claimedIssuer = (jwt: string): string | undefined => {
  if (jwt.length > longestToken || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(jwt)) return undefined
  try {
    return decodeJwt(jwt).iss
  } catch {
    return undefined
  }
}

const refused = (why: string): RegistryError =>
  new RegistryError('unauthorized', `The ID token ${why}. The log of the registry says more, at the level debug.`, {
    hints: { login: 'invalid-credentials' },
  })

/** Which issuer it is only the log says: strangers can ask with a token that they made themselves. */
const unavailable = (): RegistryError =>
  new RegistryError(
    'overloaded',
    'This token cannot be verified at the moment. Try again; the log of the registry says why.',
    { hints: { retryAfter } },
  )
