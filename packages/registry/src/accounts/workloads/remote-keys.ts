import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import { type Fetch, fetchDocument, UnavailableError } from './remote-document.ts'

export interface RemoteKeysOptions {
  readonly url: string
  readonly fetch: Fetch
  readonly now: () => number
  /** Milliseconds. */
  readonly timeout: number
  /** Told about each fetch that failed. */
  readonly onFailure: (reason: string) => void
}

const mostBytes = 256 * 1024
const mostKeys = 100

/** Milliseconds: of keys, of a look for a key that was not among them, and of a failure. */
const keptFor = 600_000
const cooldown = 30_000
const failureKeptFor = 10_000

/**
 * The public keys at a URL. One fetch serves all who wait for it; a failure is remembered for ten seconds, so that a server
 * that is down is not asked with every login.
 *
 * The function throws `UnavailableError` when the keys cannot be had, and a JOSE error when the key is not among them.
 */
export const createRemoteKeys = (options: RemoteKeysOptions): JWTVerifyGetKey => {
  const { url, fetch, now, timeout, onFailure } = options
  let failure: { readonly error: unknown; readonly until: number } | undefined

  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeout,
    cacheMaxAge: keptFor,
    cooldownDuration: cooldown,
    [customFetch]: async (href, { signal }) => {
      const at = now()
      if (failure !== undefined && at < failure.until) throw failure.error
      try {
        const accept = 'application/jwk-set+json, application/json'
        const found = await fetchDocument(href, { fetch, mostBytes, signal, accept })
        return Response.json(checkedKeys(found))
      } catch (error) {
        failure = { error, until: now() + failureKeptFor }
        onFailure(error instanceof Error ? error.message : 'It could not be read.')
        throw error
      }
    },
  })
}

/** @throws UnavailableError when it is no JWK Set. */
export const checkedKeys = (document: unknown): { keys: object[] } => {
  const { keys } = (document ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys) || keys.length > mostKeys || !keys.every(isObject)) {
    throw new UnavailableError(`Its document is not a JWK Set with at most ${mostKeys} keys.`)
  }
  return { keys }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
