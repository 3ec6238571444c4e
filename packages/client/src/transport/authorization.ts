import type { Credential, CredentialSource } from '../credentials/credential.ts'
import { ClientError, isClientError } from '../errors.ts'
import type { Need } from './call.ts'
import type { Challenge } from './challenge.ts'
import type { Host } from './hosts.ts'
import { mergeScopes } from './scopes.ts'
import { stopped } from './stopping.ts'
import { basic, checkRealm, fetchToken, isToken, type Send, type Token } from './tokens.ts'

/** How one registry is shown who asks. Nothing of it is ever sent to another origin than the registry's own. */
export interface Authorization {
  /** The `Authorization` header to send from the start, once it is known how the registry wants it. */
  header(need: Need, send: Send): Promise<string | undefined>
  /** The header that answers a 401; undefined when there is nothing (more) to show. `used` was refused. */
  answer(
    challenges: readonly Challenge[],
    need: Need,
    used: string | undefined,
    send: Send,
  ): Promise<string | undefined>
}

export interface AuthorizationOptions {
  readonly host: Host
  readonly credentials: CredentialSource
  readonly userAgent: string
}

/** How a registry asked to be answered: remembered, so that later requests need no 401 first. */
type Method =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string | undefined }

export const createAuthorization = ({ host, credentials, userAgent }: AuthorizationOptions): Authorization => {
  let method: Method | undefined
  /** Where a challenge asked for more than the need was known to take: all of it, by the need. */
  const widened = new Map<string, readonly string[]>()
  const tokens = new Map<string, Promise<Token>>()
  const known = new Map<string, Promise<Credential | undefined>>()

  const credentialFor = async (repository: string | undefined): Promise<Credential | undefined> => {
    const key = repository ?? ''
    let found = known.get(key)
    if (found === undefined) {
      found = askFor(host.registry, credentials, repository)
      keep(known, key, found)
    }
    return found
  }

  /** What was refused may have been changed since, or have been good for some hours only: the next one asks anew. */
  const forgetCredential = ({ repository }: Need): void => void known.delete(repository ?? '')

  const bearer = async (
    { realm, service }: { realm: string; service: string | undefined },
    scopes: readonly string[],
    need: Need,
    send: Send,
    refused: string | undefined,
  ): Promise<string> => {
    const credential = await credentialFor(need.repository)
    if (credential?.kind === 'registry-token') {
      if (`Bearer ${credential.token}` === refused) forgetCredential(need)
      return `Bearer ${credential.token}`
    }
    const key = JSON.stringify([realm, service, scopes])
    for (let pending = tokens.get(key); pending !== undefined; pending = tokens.get(key)) {
      const token = await unlessStopped(pending, need.signal)
      if (token !== undefined && token.expiresAt > Date.now() && `Bearer ${token.value}` !== refused) {
        return `Bearer ${token.value}`
      }
      // Whoever sees first that it is of no use takes it away; the others find the next one.
      if (tokens.get(key) === pending) tokens.delete(key)
    }
    const url = checkRealm(host, realm, credential)
    const pending = fetchToken(send, { realm: url, service, scopes }, credential, userAgent)
    keep(tokens, key, pending)
    try {
      return `Bearer ${(await pending).value}`
    } catch (error) {
      if (isClientError(error, 'unauthorized')) forgetCredential(need)
      throw error
    }
  }

  const basicHeader = async (need: Need, refused: string | undefined): Promise<string | undefined> => {
    const header = basicOf(await credentialFor(need.repository))
    if (header === undefined || header !== refused) return header
    forgetCredential(need)
    return basicOf(await credentialFor(need.repository))
  }

  const basicOf = (credential: Credential | undefined): string | undefined => {
    if (credential === undefined) return undefined
    if (credential.kind === 'password') return basic(credential.username, credential.password)
    throw new ClientError(
      'unauthorized',
      `${host.registry} wants a user name and a password, and there is only a token for it.`,
      { subject: host.registry, hint: 'Log in to this registry with a user name and a password.' },
    )
  }

  return {
    async header(need, send) {
      if (method === undefined) return undefined
      if (method.kind === 'basic') return basicHeader(need, undefined)
      const scopes = mergeScopes(need.scopes, undefined)
      return bearer(method, widened.get(scopes.join(' ')) ?? scopes, need, send, undefined)
    },
    async answer(challenges, need, used, send) {
      for (const { scheme, parameters } of challenges) {
        const realm = parameters.get('realm')
        if (scheme === 'bearer' && realm !== undefined) {
          const asked = { kind: 'bearer', realm, service: parameters.get('service') } as const
          const scopes = mergeScopes(need.scopes, parameters.get('scope'))
          const header = await bearer(asked, scopes, need, send, used)
          // Only now: what leads nowhere must not stand in the way of every later request.
          method = asked
          const key = mergeScopes(need.scopes, undefined).join(' ')
          if (key !== scopes.join(' ')) keepOf(widened, key, scopes)
          return header === used ? undefined : header
        }
      }
      if (challenges.some(({ scheme }) => scheme === 'basic')) {
        const header = await basicHeader(need, used)
        if (header !== undefined) method = { kind: 'basic' }
        return header === used ? undefined : header
      }
      return undefined
    },
  }
}

/** Credentials and tokens that are kept: a client that walks a catalog needs one for each repository. */
const most = 1000

const keepOf = <T>(map: Map<string, T>, key: string, value: T): void => {
  const [oldest] = map.keys()
  if (map.size >= most && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

/** What failed is not kept. */
const keep = <T>(map: Map<string, Promise<T>>, key: string, value: Promise<T>): void => {
  keepOf(map, key, value)
  value.catch(() => {
    if (map.get(key) === value) map.delete(key)
  })
}

/** @throws {ClientError} `unauthorized` when a source of credentials fails, unless that says more */
const askFor = async (
  registry: string,
  credentials: CredentialSource,
  repository: string | undefined,
): Promise<Credential | undefined> => {
  try {
    const found = await credentials({ registry, ...(repository === undefined ? {} : { repository }) })
    if (found?.kind !== 'registry-token' || isToken(found.token)) return found
  } catch (error) {
    if (isClientError(error)) throw error
    const words = error instanceof Error ? error.message : String(error)
    throw new ClientError('unauthorized', `The credentials for ${registry} cannot be had: ${words}`, { cause: error })
  }
  throw new ClientError('unauthorized', `The token for ${registry} has characters that no token has.`)
}

/**
 * What another request has asked for, unless that was told to stop: which is not this one's affair. Nobody waits longer
 * than they may.
 */
const unlessStopped = async (pending: Promise<Token>, signal: AbortSignal | undefined): Promise<Token | undefined> => {
  const end = Promise.withResolvers<never>()
  const stop = (): void => end.reject(stopped(signal?.reason))
  if (signal?.aborted === true) stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([pending, end.promise])
  } catch (error) {
    if (isClientError(error, 'aborted') && signal?.aborted !== true) return undefined
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
