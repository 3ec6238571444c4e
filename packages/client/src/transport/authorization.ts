import type { Credential, CredentialSource } from '../credentials/credential.ts'
import { ClientError } from '../errors.ts'
import type { Challenge } from './challenge.ts'
import type { Host } from './hosts.ts'
import { mergeScopes } from './scopes.ts'
import { basic, checkRealm, fetchToken, type Send, type Token } from './tokens.ts'

/** What a request wants to do, as far as permission goes. */
export interface Need {
  readonly scopes: readonly string[]
  readonly repository: string | undefined
}

/** How one registry is shown who asks. Nothing of it is ever sent to another origin than the registry's own. */
export interface Authorization {
  /** The `Authorization` header to send from the start, once it is known how the registry wants it. */
  header(need: Need, send: Send): Promise<string | undefined>
  /** The header that answers a 401; undefined when there is nothing (more) to show. `used` was refused. */
  answer(challenges: readonly Challenge[], need: Need, used: string | undefined, send: Send): Promise<string | undefined>
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

/** Tokens that are kept: a client that walks a catalog needs one for each repository. */
const mostTokens = 1000

export const createAuthorization = ({ host, credentials, userAgent }: AuthorizationOptions): Authorization => {
  let method: Method | undefined
  const tokens = new Map<string, Promise<Token>>()
  const known = new Map<string, Promise<Credential | undefined>>()

  const credentialFor = (repository: string | undefined): Promise<Credential | undefined> => {
    const key = repository ?? ''
    let found = known.get(key)
    if (found === undefined) {
      found = Promise.resolve(
        credentials({ registry: host.registry, ...(repository === undefined ? {} : { repository }) }),
      )
      known.set(key, found)
      found.catch(() => known.delete(key))
    }
    return found
  }

  const bearer = async (
    { realm, service }: { realm: string; service: string | undefined },
    scopes: readonly string[],
    need: Need,
    send: Send,
    refused: string | undefined,
  ): Promise<string> => {
    const credential = await credentialFor(need.repository)
    if (credential?.kind === 'registry-token') return `Bearer ${credential.token}`
    const key = JSON.stringify([realm, service, scopes])
    let token = await tokens.get(key)?.catch(() => undefined)
    if (token === undefined || token.expiresAt <= Date.now() || `Bearer ${token.value}` === refused) {
      const url = checkRealm(host, realm, credential)
      const pending = fetchToken(send, { realm: url, service, scopes }, credential, userAgent)
      const [oldest] = tokens.keys()
      if (tokens.size >= mostTokens && oldest !== undefined) tokens.delete(oldest)
      tokens.set(key, pending)
      pending.catch(() => {
        if (tokens.get(key) === pending) tokens.delete(key)
      })
      token = await pending
    }
    return `Bearer ${token.value}`
  }

  const basicHeader = async (need: Need): Promise<string | undefined> => {
    const credential = await credentialFor(need.repository)
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
      if (method.kind === 'basic') return basicHeader(need)
      return bearer(method, mergeScopes(need.scopes, undefined), need, send, undefined)
    },
    async answer(challenges, need, used, send) {
      for (const { scheme, parameters } of challenges) {
        const realm = parameters.get('realm')
        if (scheme === 'bearer' && realm !== undefined) {
          method = { kind: 'bearer', realm, service: parameters.get('service') }
          const scopes = mergeScopes(need.scopes, parameters.get('scope'))
          const header = await bearer(method, scopes, need, send, used)
          return header === used ? undefined : header
        }
      }
      if (challenges.some(({ scheme }) => scheme === 'basic')) {
        method = { kind: 'basic' }
        const header = await basicHeader(need)
        return header === used ? undefined : header
      }
      return undefined
    },
  }
}
