import type { Access } from '../access/access.ts'
import type { Action, Grant } from '../access/grant.ts'
import type { Principal } from '../access/principal.ts'
import type { TokenService } from '../accounts/token-service.ts'
import type { Blobs } from '../content/blobs.ts'
import type { Manifests } from '../content/manifests.ts'
import type { RepositoryGrant, Uploads } from '../content/uploads.ts'
import type { PullCounter } from '../events/pull-counter.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { Client } from './client.ts'
import type { Incoming, Reply } from './exchange.ts'

/** Everything a resource may use. */
export interface Services {
  readonly access: Access
  readonly metadata: MetadataStore
  readonly blobs: Blobs
  readonly manifests: Manifests
  readonly uploads: Uploads
  readonly pulls: PullCounter
  readonly settings: HttpSettings
  /** How clients log in. Undefined where the registry has no accounts: then challenges are the host's affair. */
  readonly login?: LoginSettings | undefined
  /** Called after a change was committed. */
  readonly changed: () => void
}

export interface HttpSettings {
  /** Origin for absolute Locations, without a slash at the end; empty for relative ones. */
  readonly publicUrl: string
  readonly maxManifestSize: number
  /** Advertised as `OCI-Chunk-Min-Length`; smaller chunks are accepted all the same. 0: not advertised. */
  readonly chunkMinLength: number
}

/** `service` names the registry in challenges. Tokens come from a server elsewhere (`realm`) or from here. */
export type LoginSettings = { readonly service: string } & (
  | { readonly realm: string }
  | { readonly tokens: TokenService }
)

export const tokenServiceOf = (login: LoginSettings | undefined): TokenService | undefined =>
  login !== undefined && 'tokens' in login ? login.tokens : undefined

/** A request that nobody is asked about: it is how one becomes somebody. */
export interface OpenCall {
  readonly incoming: Incoming
  readonly client: Client
  /** The query; parsed on first use. */
  query(): URLSearchParams
  /** Says who it turned out to be. */
  loggedIn(name: string): void
}

/** A request on its way through a resource: routed, authenticated, authorised. */
export interface Call {
  readonly incoming: Incoming
  readonly principal: Principal
  readonly grant: Grant
  /** The last segment of the path, checked by the resource. */
  readonly last: string
  /** The query; parsed on first use. */
  query(): URLSearchParams
  /** What to put before `/v2/…` in a Location. */
  readonly origin: string
}

/** A call whose grant names a repository. */
export interface RepositoryCall extends Call {
  readonly grant: RepositoryGrant
}

/** One method of a route: what it wants, and what it does once it may. */
export interface Operation<C extends Call = Call> {
  /** Required: the registry does not start with a method that declares none. */
  readonly action: Action
  readonly handle: (call: C, services: Services) => Reply | Promise<Reply>
}

/** Methods of a route. HEAD is a method of its own: nothing is derived in silence. */
export type Operations<C extends Call = Call> = Readonly<
  Partial<Record<'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Operation<C>>>
>

/** Methods of a route that is open to everybody. It is said once more of each method. */
export type OpenOperations = Readonly<
  Partial<
    Record<
      'GET' | 'POST',
      { readonly action: 'open'; readonly handle: (call: OpenCall, services: Services) => Reply | Promise<Reply> }
    >
  >
>
