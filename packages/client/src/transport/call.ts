/** What a request to a registry is, before it is known how it will be sent. */
import type { Content } from '../content/content.ts'
import type { CredentialSource } from '../credentials/credential.ts'
import type { ClientError } from '../errors.ts'
import type { Fetch } from './fetch.ts'
import type { HostOptions } from './hosts.ts'
import type { RegistryWarning } from './warnings.ts'

/** What a request wants to do, as far as permission goes. */
export interface Need {
  readonly scopes: readonly string[]
  readonly repository: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** The methods of the distribution API, and what asks a server about itself. */
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

/** One request to a registry, as the rest of this package thinks of it. */
export interface Call extends Need {
  /** As in references. */
  readonly registry: string
  readonly method: Method
  /** From the registry's root (`/v2/…`), or a whole URL of the registry's own origin. */
  readonly target: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: Content
  /** Where to begin in the content, and how many bytes of it to send. */
  readonly offset?: number
  readonly length?: number
  /**
   * The statuses that are answers. Any other is thrown. With `any` the caller takes whatever comes, a 401 and the redirect of a
   * write too, and shows by itself who it is: no credentials are added, and no challenge is answered.
   */
  readonly expect: readonly number[] | 'any'
  /** What it is about, for messages. */
  readonly subject: string
  readonly signal?: AbortSignal | undefined
  /**
   * Whether a broken connection may be followed by the same request. Default: for methods that are idempotent. A 429 or 503 is
   * followed by one in any case, for nothing was done.
   */
  readonly repeatable?: boolean
  /**
   * How often it is sent at most, whatever the answer; never more than the host allows. With a number here nothing is sent to a
   * registry that asked for quiet, and nobody waits for it: for registries that can be done without. Default: the host's.
   */
  readonly attempts?: number
  readonly onProgress?: ((sent: number) => void) | undefined
  readonly onRetry?: ((error: ClientError) => void) | undefined
}

/** What happened on the wire, for logs. Holds no secret: no header, and no query. */
export interface TraceEvent {
  readonly method: string
  /** Without query. */
  readonly url: string
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  /** Milliseconds to the head of the answer. */
  readonly took: number
  readonly attempt: number
  readonly error?: ClientError
}

export interface TransportOptions {
  /** Asked once for each registry. */
  readonly hosts: (registry: string) => HostOptions
  readonly fetch: Fetch
  readonly sendsStreams: boolean
  readonly credentials: CredentialSource
  readonly userAgent: string
  readonly onWarning: (warning: RegistryWarning) => void
  readonly onTrace: (event: TraceEvent) => void
}
