/** How a 401 is answered, and how the next one is spared. */
import type { Credential } from '../credentials/credential.ts'
import { orAborted } from '../content/interrupt.ts'
import { ClientError, isClientError } from '../errors.ts'
import { type Challenge, parseChallenges } from '../transport/challenge.ts'
import type { Host } from '../transport/hosts.ts'
import { basic, checkRealm, fetchToken, type Send, type Token } from '../transport/tokens.ts'
import { deleteScope, pullScope, pushScope } from '../transport/scopes.ts'
import type { Method } from '../transport/call.ts'
import type { ClientConfig } from './settings.ts'

/** How the registry wants to be shown who asks. */
type Way =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined; readonly scope: string }

/** Requests of one kind need the same permission: to read, write or delete in one repository. */
export interface Kind {
  readonly key: string
  /** What they need by custom; empty for what is in no repository. */
  readonly scope: string
}

export interface ReggieAuthorization {
  /** The header that requests of this kind needed before; undefined when there was none. */
  header(kind: Kind, signal: AbortSignal): Promise<string | undefined>
  /** The header that answers a challenge; undefined when there is nothing (more) to show. `used` was refused. */
  answer(
    challenge: string | null,
    kind: Kind,
    used: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined>
}

export interface ReggieAuthorizationOptions {
  readonly config: ClientConfig
  readonly host: Host
  /** Sends a request to a token server. */
  readonly send: (request: Parameters<Send>[0], signal: AbortSignal) => ReturnType<Send>
}

/** Ways and tokens that are kept. */
const most = 1000

/**
 * What a registry asked of a request it will ask of the next one of its kind; scopes are guessed only where it names none. Tokens
 * are kept by realm, service and scope.
 */
export const createReggieAuthorization = ({ config, host, send }: ReggieAuthorizationOptions): ReggieAuthorization => {
  const ways = new Map<string, Way>()
  /** Where one way is the way of everything. */
  let always: Way | undefined
  const tokens = new Map<string, Promise<Token>>()
  const { Username: username, Password: password } = config
  const credential: Credential | undefined = username === '' ? undefined : { kind: 'password', username, password }

  const tokenFor = async (
    { realm, service, scope }: Extract<Way, { scheme: 'bearer' }>,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<Token> => {
    const key = JSON.stringify([realm, service, scope])
    const known = tokens.get(key)
    if (known !== undefined) {
      try {
        const token = await orAborted(known, signal)
        if (token.expiresAt > Date.now() && bearer(token) !== refused) return token
      } catch (error) {
        // Another request asked, and was told to stop: that is not this one's affair.
        if (!isClientError(error, 'aborted') || signal.aborted) throw error
      }
      // While this one waited, another may have got a new one.
      if (tokens.get(key) !== known) return tokenFor({ scheme: 'bearer', realm, service, scope }, refused, signal)
    }
    const request = { realm: realmUrl(host, realm, credential), service, scopes: scope === '' ? [] : [scope] }
    const pending = fetchToken(async (each) => send(each, signal), request, credential, config.UserAgent)
    keep(tokens, key, pending)
    pending.catch(() => {
      if (tokens.get(key) === pending) tokens.delete(key)
    })
    return pending
  }

  const show = async (way: Way, refused: string | undefined, signal: AbortSignal): Promise<string | undefined> => {
    if (way.scheme === 'basic') return credential === undefined ? undefined : basic(username, password)
    try {
      return bearer(await tokenFor(way, refused, signal))
    } catch (error) {
      // Who gets no token is unauthorized, and the registry's own 401 says so.
      if (isClientError(error, 'unauthorized')) return undefined
      throw error
    }
  }

  return {
    async header(kind, signal) {
      const way = always ?? ways.get(kind.key)
      return way === undefined ? undefined : show(way, undefined, signal)
    },
    async answer(challenge, kind, used, signal) {
      const way = wayOf(challengesIn(challenge), config.AuthScope, kind)
      if (way === undefined) return undefined
      const header = await show(way, used, signal)
      if (header === undefined || header === used) return undefined
      if (way.scheme === 'basic' || config.AuthScope !== '') always = way
      else keep(ways, kind.key, way)
      return header
    },
  }
}

const bearer = ({ value }: Token): string => `Bearer ${value}`

const keep = <T>(map: Map<string, T>, key: string, value: T): void => {
  const [oldest] = map.keys()
  if (map.size >= most && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

/** The registry of the seed sends the parameters of a Bearer challenge, and leaves its name away. */
const challengesIn = (header: string | null): Challenge[] =>
  parseChallenges(header !== null && /^\s*realm\s*=/i.test(header) ? `Bearer ${header}` : header)

const wayOf = (challenges: readonly Challenge[], authScope: string, kind: Kind): Way | undefined => {
  for (const { scheme, parameters } of challenges) {
    const realm = parameters.get('realm') ?? ''
    if (scheme !== 'bearer' || realm === '') continue
    const scope = authScope || parameters.get('scope') || kind.scope
    return { scheme: 'bearer', realm, service: parameters.get('service'), scope }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}

const realmUrl = (host: Host, realm: string, credential: Credential | undefined): URL => {
  try {
    return checkRealm(host, realm, credential)
  } catch (error) {
    if (!isClientError(error, 'refused') || !URL.canParse(realm)) throw error
    const server = new URL(realm).host
    throw new ClientError('refused', error.message, {
      subject: host.registry,
      hint: `If ${server} is the token server of ${host.registry}, allow it: WithTokenServers(${JSON.stringify(server)}).`,
      cause: error,
    })
  }
}

const scopes = { read: pullScope, write: pushScope, delete: deleteScope }
const resource = /^.*?\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)(?:\/|$)/

export const kindOf = (method: Method, { pathname }: URL): Kind => {
  const does = method === 'GET' || method === 'HEAD' ? 'read' : method === 'DELETE' ? 'delete' : 'write'
  const repository = resource.exec(pathname)?.[1]
  return { key: `${does} ${repository ?? pathname}`, scope: repository === undefined ? '' : scopes[does](repository) }
}
