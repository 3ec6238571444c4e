import type { ErrorCode } from '@stowage/oci'

/**
 * Every way in which a request can fail, in one table: the OCI error code, the HTTP status and what is wrong in general.
 * The message of a single error adds what to do. `docs/errors.md` has a section for each.
 */
export const faults = {
  'blob-unknown': { code: 'BLOB_UNKNOWN', status: 404 },
  'blob-too-large': { code: 'SIZE_INVALID', status: 413 },
  'blob-in-use': { code: 'DENIED', status: 405 },
  'range-not-satisfiable': { code: 'SIZE_INVALID', status: 416 },
  'upload-unknown': { code: 'BLOB_UPLOAD_UNKNOWN', status: 404 },
  'upload-invalid': { code: 'BLOB_UPLOAD_INVALID', status: 400 },
  'upload-out-of-order': { code: 'BLOB_UPLOAD_INVALID', status: 416 },
  'digest-invalid': { code: 'DIGEST_INVALID', status: 400 },
  'size-invalid': { code: 'SIZE_INVALID', status: 400 },
  'manifest-unknown': { code: 'MANIFEST_UNKNOWN', status: 404 },
  'manifest-invalid': { code: 'MANIFEST_INVALID', status: 400 },
  'manifest-too-large': { code: 'MANIFEST_INVALID', status: 413 },
  'manifest-reference-unknown': { code: 'MANIFEST_BLOB_UNKNOWN', status: 400 },
  'content-encoding': { code: 'UNSUPPORTED', status: 415 },
  'too-many-tags': { code: 'UNSUPPORTED', status: 414 },
  'tag-invalid': { code: 'MANIFEST_INVALID', status: 400 },
  'tag-exists': { code: 'DENIED', status: 403 },
  'tag-immutable': { code: 'DENIED', status: 403 },
  'read-only': { code: 'UNSUPPORTED', status: 405 },
  'deletion-disabled': { code: 'UNSUPPORTED', status: 405 },
  'quota-exceeded': { code: 'DENIED', status: 403 },
  'name-invalid': { code: 'NAME_INVALID', status: 400 },
  'name-unknown': { code: 'NAME_UNKNOWN', status: 404 },
  'query-invalid': { code: 'UNSUPPORTED', status: 400 },
  'target-invalid': { code: 'NAME_INVALID', status: 400 },
  'form-type': { code: 'UNSUPPORTED', status: 415 },
  'form-too-large': { code: 'SIZE_INVALID', status: 413 },
  'route-unknown': { code: 'UNSUPPORTED', status: 404 },
  'method-not-allowed': { code: 'UNSUPPORTED', status: 405 },
  'body-consumed': { code: 'UNSUPPORTED', status: 500 },
  unauthorized: { code: 'UNAUTHORIZED', status: 401 },
  denied: { code: 'DENIED', status: 403 },
  'too-many-requests': { code: 'TOOMANYREQUESTS', status: 429 },
  overloaded: { code: 'TOOMANYREQUESTS', status: 503 },
  'storage-full': { code: 'DENIED', status: 507 },
} as const satisfies Record<string, { code: ErrorCode; status: number }>

export type Fault = keyof typeof faults

/**
 * A request that cannot be served, for a reason its sender can be told. Anything else that is thrown is a defect or a fault
 * of the machine: it reaches the log and never the wire.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly fault: Fault
  /** Goes into the `detail` member of the OCI error body. */
  readonly detail: unknown
  /** Facts a door may turn into headers: the offset of an upload, the methods of a route, seconds until a retry. */
  readonly hints: ErrorHints

  constructor(fault: Fault, message: string, options: { detail?: unknown; hints?: ErrorHints; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.fault = fault
    this.detail = options.detail
    this.hints = options.hints ?? {}
  }
}

/** An option of `createRegistry` that cannot be used, or a file that one names. The message says which, and what to do. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
  readonly code = 'OPTIONS_INVALID'
}

export interface ErrorHints {
  /** Where the upload stands: id and bytes received. */
  readonly upload?: { readonly id: string; readonly size: number }
  /** Methods the route has. */
  readonly allow?: readonly string[]
  /** Seconds. */
  readonly retryAfter?: number
  /** Size of the blob whose range was asked. */
  readonly size?: number
  /** A `WWW-Authenticate` challenge. */
  readonly challenge?: string
  /** Why the registry's own challenge is sent. */
  readonly login?: 'required' | 'insufficient-scope' | 'invalid-credentials' | 'invalid-token'
  /** The error of OAuth 2 at the token endpoint, where it is not the usual one of the fault. */
  readonly oauth?: 'unsupported_grant_type' | 'invalid_scope'
}
