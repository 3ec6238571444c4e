import { hash } from 'node:crypto'
import { resolve } from 'node:path'
import { type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Principal } from '../../access/principal.ts'
import { OptionsError, RegistryError } from '../../errors.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import type { TokenServer } from '../account-options.ts'
import { trustedAlgorithms } from '../workloads/algorithms.ts'
import { type Fetch, remoteUrlProblem, UnavailableError } from '../workloads/remote-document.ts'
import { createRemoteKeys } from '../workloads/remote-keys.ts'
import { workloadName } from '../workloads/workload-name.ts'
import { longestToken } from './bearer.ts'
import { createKeyFile } from './key-file.ts'
import { parseAccess, toPermissions } from './scope.ts'

/** Bearer tokens of a token server elsewhere. */
export interface ExternalTokens {
  /**
   * The holder of a token, with what its `access` allows; at once when it was verified within the last minute.
   *
   * @throws RegistryError `unauthorized`, the same whatever is wrong with it; `overloaded` when the keys cannot be had.
   */
  verify(token: string): Principal | Promise<Principal>
}

export interface ExternalTokensOptions {
  readonly server: TokenServer
  /** The audience. */
  readonly service: string
  readonly now: () => number
  readonly logger?: Logger
  readonly fetch?: Fetch
  /** Milliseconds that the server may take to give its keys. Default 5000. */
  readonly timeout?: number
}

interface Known {
  readonly principal: Principal
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Milliseconds. Not longer: the server may have taken the key back. */
const keptFor = 60_000

/** Seconds that the clock of the server may be ahead. */
const skew = 60

/** @throws Error when the server's `jwks` cannot be used. */
export const createExternalTokens = (options: ExternalTokensOptions): ExternalTokens => {
  const { server, service, now } = options
  const keys = keysOf(options)
  const verified = new LRUCache<string, Known>({ max: 10_000, maxSize: 8 * 1024 * 1024 })

  const check = async (token: string, digest: string): Promise<Principal> => {
    const payload = await verifySignature(token)
    const { exp } = payload
    // The library's tolerance is for clocks that are behind, not for tokens that have ended.
    if (exp === undefined || exp * 1000 <= now()) throw invalidToken()
    const principal = principalOf(payload)
    const until = Math.min(exp * 1000, now() + keptFor)
    verified.set(digest, { principal, until }, { size: token.length })
    return principal
  }

  const verifySignature = async (token: string): Promise<JWTPayload> => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        // Keys come from the JWK Set and from nowhere else, whatever the header brings along (compare CVE-2025-24976).
        algorithms: trustedAlgorithms,
        issuer: server.issuer,
        audience: service,
        clockTolerance: skew,
        currentDate: new Date(now()),
      })
      return payload
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw invalidToken()
      throw new RegistryError(
        'overloaded',
        'The keys of the token server cannot be had at the moment, so its tokens cannot be verified. Try again.',
        { hints: { retryAfter: 10 } },
      )
    }
  }

  return {
    verify: (token) => {
      if (token.length > longestToken || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token)) {
        throw invalidToken()
      }
      const digest = hash('sha256', token, 'base64')
      const known = verified.get(digest)
      return known !== undefined && known.until > now() ? known.principal : check(token, digest)
    },
  }
}

const keysOf = (options: ExternalTokensOptions) => {
  const { server, now, logger = silentLogger, fetch = globalThis.fetch, timeout = 5000 } = options
  if (!/^[a-z][a-z0-9+.-]+:/i.test(server.jwks)) return createKeyFile(resolve(server.jwks), now, logger)
  const problem = remoteUrlProblem(server.jwks)
  if (problem !== undefined)
    throw new OptionsError(`\`tokenServer.jwks\` is the path of a file, or a URL that ${problem}.`)
  return createRemoteKeys({
    url: server.jwks,
    fetch,
    now,
    timeout,
    onFailure: (reason) =>
      logger.warn({ keys: server.jwks, reason }, 'The keys of the token server cannot be had: new tokens are refused.'),
  })
}

/** Who has no subject is nobody in particular, but what the token says may be done. */
const principalOf = (payload: JWTPayload): Principal => {
  const { sub } = payload
  const { permissions, catalog } = toPermissions(parseAccess(payload['access']))
  const allowed = { own: permissions, within: [{ kind: 'scopes' as const, permissions, catalog }] }
  return typeof sub === 'string' && sub !== ''
    ? { kind: 'workload', name: workloadName('token', sub), ...allowed }
    : { kind: 'anonymous', name: 'anonymous', ...allowed }
}

const invalidToken = (): RegistryError =>
  new RegistryError('unauthorized', 'The Bearer token is not good, or not any more. Get a new one.', {
    hints: { login: 'invalid-token' },
  })
