import type { ErrorInfo } from '@stowage/oci'

/**
 * Everything that can go wrong, by name. A program decides by `code`; the text of a message is for people and may change.
 *
 * | code | means |
 * |---|---|
 * | `usage` | an argument is wrong; nothing was sent |
 * | `not-found` | there is no such repository, manifest, tag, blob or file |
 * | `unauthorized` | the registry does not know who asks (401), or credentials are wrong |
 * | `denied` | the one who asks may not do this (403) |
 * | `rate-limited` | too many requests (429), after as many retries as allowed; see `retryAfter` |
 * | `digest-mismatch` | the bytes are not those of the digest, or not as many as announced |
 * | `too-large` | more bytes than a limit of this client allows |
 * | `invalid-response` | an answer that breaks the protocol |
 * | `refused` | this client will not do what a registry asks for, to protect credentials or the network it runs in |
 * | `unsupported` | the registry, layout or archive does not do this |
 * | `exists` | what was to be created is there already |
 * | `invalid-content` | a manifest, layout or archive that is not well-formed |
 * | `rejected` | any other 4xx: see `status` and `errors` |
 * | `registry-failed` | 5xx, after as many retries as allowed |
 * | `network` | no connection, or one that broke, after as many retries as allowed |
 * | `timeout` | nothing came or went for too long |
 * | `file` | the file system says no: no room, too many open files, a broken disk |
 * | `aborted` | the caller's signal |
 */
export type ClientErrorCode =
  | 'usage'
  | 'not-found'
  | 'unauthorized'
  | 'denied'
  | 'rate-limited'
  | 'digest-mismatch'
  | 'too-large'
  | 'invalid-response'
  | 'refused'
  | 'unsupported'
  | 'exists'
  | 'invalid-content'
  | 'rejected'
  | 'registry-failed'
  | 'network'
  | 'timeout'
  | 'file'
  | 'aborted'

/** What is known of an error besides its code and message. */
export interface ClientErrorFacts {
  /** What it was about, as a person writes it: `registry.example/app:v1`, `ocidir:./images:v1`. */
  readonly subject?: string
  /** HTTP status, when a registry answered. */
  readonly status?: number
  /** What the registry said, in its own words. */
  readonly errors?: readonly ErrorInfo[]
  /** Milliseconds after which another try may succeed; there is one only when trying again makes sense. */
  readonly retryAfter?: number
  /** What to try, as one sentence. */
  readonly hint?: string
  /** In a copy: the side that failed. */
  readonly side?: 'source' | 'target'
  readonly cause?: unknown
}

/** What this package throws, and all that it throws besides `ParseError` of `@stowage/oci`. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientErrorCode
  readonly subject: string | undefined
  readonly status: number | undefined
  readonly errors: readonly ErrorInfo[]
  readonly retryAfter: number | undefined
  readonly hint: string | undefined
  readonly side: 'source' | 'target' | undefined

  constructor(code: ClientErrorCode, message: string, facts: ClientErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.subject = facts.subject
    this.status = facts.status
    this.errors = facts.errors ?? []
    this.retryAfter = facts.retryAfter
    this.hint = facts.hint
    this.side = facts.side
  }
}

/** By name and code, not by class: two copies of this package in one program know each other's errors. */
export const isClientError = (error: unknown, code?: ClientErrorCode): error is ClientError =>
  error instanceof Error &&
  error.name === 'ClientError' &&
  'code' in error &&
  (code === undefined || error.code === code)

/** Whether the error says that something is not there. */
export const isNotFound = (error: unknown): error is ClientError => isClientError(error, 'not-found')

/** The same error with further facts, where it is known better what it was about. What the error knows itself stays. */
export const withFacts = (error: ClientError, facts: Omit<ClientErrorFacts, 'cause'>): ClientError => {
  const { code, message, subject, status, errors, retryAfter, hint, side, cause, stack } = error
  const own = { subject, status, errors: errors.length === 0 ? undefined : errors, retryAfter, hint, side, cause }
  const known = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  const richer = new ClientError(code, message, { ...facts, ...known })
  if (stack !== undefined) richer.stack = stack
  return richer
}
