interface ErrorCodeInfo {
  /** What the distribution specification says of the code, in our words. */
  readonly description: string
  /** The HTTP status it usually goes with. */
  readonly status: number
}

/** The fourteen error codes of the distribution specification (section "Error Codes"). */
export const errorCodes = {
  BLOB_UNKNOWN: { description: 'The registry has no such blob in this repository.', status: 404 },
  BLOB_UPLOAD_INVALID: { description: 'The upload cannot go on with this request.', status: 400 },
  BLOB_UPLOAD_UNKNOWN: { description: 'The registry has no such upload.', status: 404 },
  DIGEST_INVALID: { description: 'The digest is malformed, or not that of the content.', status: 400 },
  MANIFEST_BLOB_UNKNOWN: {
    description: 'The manifest references content that the registry does not have.',
    status: 400,
  },
  MANIFEST_INVALID: { description: 'The manifest is not acceptable.', status: 400 },
  MANIFEST_UNKNOWN: { description: 'The registry has no such manifest in this repository.', status: 404 },
  NAME_INVALID: { description: 'The repository name is malformed.', status: 400 },
  NAME_UNKNOWN: { description: 'The registry has no such repository.', status: 404 },
  SIZE_INVALID: { description: 'The length given is not that of the content.', status: 400 },
  UNAUTHORIZED: { description: 'The registry needs to know who asks.', status: 401 },
  DENIED: { description: 'The one who asks may not do this.', status: 403 },
  UNSUPPORTED: { description: 'The registry does not do this.', status: 405 },
  TOOMANYREQUESTS: { description: 'Too many requests in too short a time.', status: 429 },
} as const satisfies Record<string, ErrorCodeInfo>

export type ErrorCode = keyof typeof errorCodes

export const isErrorCode = (value: unknown): value is ErrorCode =>
  typeof value === 'string' && Object.hasOwn(errorCodes, value)

/** One error of a response. Registries send codes of their own besides the fourteen. */
export interface ErrorInfo {
  readonly code: ErrorCode | (string & {})
  readonly message?: string
  readonly detail?: unknown
}

/** The body of an error response. */
export interface ErrorBody {
  readonly errors: readonly ErrorInfo[]
}

/**
 * The errors in the body of a response, as far as there are any.
 *
 * Lenient, because a failing registry, or a proxy before it, sends what it likes: entries without a code become `UNKNOWN`,
 * a lone `{ "message" }` or `{ "error" }` is one error, and anything else is none. Never throws.
 */
export const parseErrorBody = (text: string): ErrorInfo[] => {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return []
  }
  if (!isObject(body)) return []
  const listed = body['errors']
  const entries: unknown[] = Array.isArray(listed) ? listed : isObject(listed) ? [listed] : [body]
  return entries.flatMap((entry) => readError(entry) ?? [])
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readError = (entry: unknown): ErrorInfo | undefined => {
  if (typeof entry === 'string') return { code: 'UNKNOWN', message: entry }
  if (!isObject(entry)) return undefined
  const { code, message, detail, error } = entry
  const text = [message, error].find((value) => typeof value === 'string' && value !== '')
  const named = typeof code === 'string' && code !== ''
  if (!named && typeof text !== 'string') return undefined
  return {
    code: named ? code : 'UNKNOWN',
    ...(typeof text === 'string' ? { message: text } : {}),
    ...(detail === undefined || detail === null ? {} : { detail }),
  }
}
