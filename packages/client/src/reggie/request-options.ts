/** The options of `NewRequest`. */
import type { RequestSettings, RetryCallbackFunc } from './request.ts'
import { checkDigest, checkName, checkReference, checkSessionId, type Values } from './template.ts'

/** What the functions of this module give, for `NewRequest` alone. */
export interface RequestOption {
  readonly of: 'NewRequest'
  /** Of the function that made it, for messages. */
  readonly name: string
  readonly apply: (settings: RequestSettings) => void
}

const value = (name: string, placeholder: keyof Values, text: string): RequestOption => ({
  of: 'NewRequest',
  name,
  apply: (settings) => void (settings.values = { ...settings.values, [placeholder]: text }),
})

/** Fills `<name>`. @throws {ClientError} `usage` when it is no repository name */
export const WithName = (name: string): RequestOption => value('WithName', 'name', checkName(name))

/** Fills `<reference>`. @throws {ClientError} `usage` when it is neither a tag nor a digest */
export const WithReference = (reference: string): RequestOption =>
  value('WithReference', 'reference', checkReference(reference))

/** Fills `<digest>`. @throws {ClientError} `usage` when it is no digest */
export const WithDigest = (digest: string): RequestOption => value('WithDigest', 'digest', checkDigest(digest))

/** Fills `<session_id>`, percent-encoded where a path needs it. @throws {ClientError} `usage` for an empty, `.` or `..` segment */
export const WithSessionID = (id: string): RequestOption => value('WithSessionID', 'session_id', checkSessionId(id))

/**
 * Called before the request is sent again because of a 401. A body is sent again by itself: this is for who counts, or wants to
 * change something. When it throws, so does `Do`.
 */
export const WithRetryCallback = (callback: RetryCallbackFunc): RequestOption => ({
  of: 'NewRequest',
  name: 'WithRetryCallback',
  apply: (settings) => void (settings.retryCallback = callback),
})
