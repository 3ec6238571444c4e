import { LRUCache } from 'lru-cache'
import { type Fetch, fetchDocument, remoteUrlProblem, UnavailableError } from './remote-document.ts'

export interface DiscoveryOptions {
  readonly fetch: Fetch
  readonly now: () => number
  /** Milliseconds. */
  readonly timeout: number
  readonly onFailure: (issuer: string, reason: string) => void
}

/**
 * Where an issuer has its keys, by its discovery document. Remembered for ten minutes, a failure for ten seconds.
 *
 * @throws UnavailableError
 */
export type Discover = (issuer: string) => Promise<string>

type Found = { readonly jwksUri: string } | { readonly error: unknown }

const mostBytes = 64 * 1024

/** Milliseconds. */
const keptFor = 600_000
const failureKeptFor = 10_000

export const createDiscovery = (options: DiscoveryOptions): Discover => {
  const { fetch, now, timeout, onFailure } = options
  const known = new LRUCache<string, Found>({
    max: 100,
    ttl: keptFor,
    // Asks the clock each time.
    ttlResolution: 0,
    perf: { now },
    fetchMethod: async (issuer, _, { options: kept }) => {
      try {
        return { jwksUri: await read(issuer, fetch, timeout) }
      } catch (error) {
        kept.ttl = failureKeptFor
        onFailure(issuer, error instanceof Error ? error.message : 'It could not be read.')
        return { error }
      }
    },
  })

  return async (issuer) => {
    const found = await known.forceFetch(issuer)
    if ('error' in found) throw found.error
    return found.jwksUri
  }
}

const read = async (issuer: string, fetch: Fetch, timeout: number): Promise<string> => {
  // "any terminating `/` MUST be removed before appending `/.well-known/openid-configuration`"
  const url = `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/openid-configuration`
  const signal = AbortSignal.timeout(timeout)
  const document = await fetchDocument(url, { fetch, mostBytes, signal, accept: 'application/json' })
  const { issuer: said, jwks_uri: jwksUri } = (document ?? {}) as { issuer?: unknown; jwks_uri?: unknown }
  // "The `issuer` value returned MUST be identical to the Issuer URL that was used as the prefix"
  if (said !== issuer) throw new UnavailableError('Its discovery document is that of another issuer.')
  const problem = remoteUrlProblem(jwksUri)
  if (problem !== undefined) {
    throw new UnavailableError(`The \`jwks_uri\` of its discovery document is not one that ${problem}.`)
  }
  // This machine's own ports are for issuers on this machine, not for one that is elsewhere to send us to.
  if (issuer.startsWith('https:') && !String(jwksUri).startsWith('https:')) {
    throw new UnavailableError('The `jwks_uri` of its discovery document is not https, though the issuer is.')
  }
  return String(jwksUri)
}
