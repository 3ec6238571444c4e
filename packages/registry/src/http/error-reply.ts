import { faults, type RegistryError } from '../errors.ts'
import { json, type Reply, type ReplyHeaders } from './exchange.ts'

export interface ErrorContext {
  /** Of an upload. */
  readonly location: (uploadId: string) => string
  /** The challenge of a 401 that brings none of its own. */
  readonly challenge: () => string
  /** Members that go beside `errors`. */
  readonly more?: object | undefined
}

/** An error in the format of the specification: `{ "errors": [{ code, message, detail }] }`. */
export const errorReply = (error: RegistryError, { location, challenge: own, more }: ErrorContext): Reply => {
  const { code, status } = faults[error.fault]
  const headers: ReplyHeaders = {}
  const { upload, allow, retryAfter, size, challenge } = error.hints
  if (upload !== undefined) {
    headers['location'] = location(upload.id)
    headers['range'] = `0-${Math.max(upload.size - 1, 0)}`
    headers['docker-upload-uuid'] = upload.id
  }
  // RFC 9110 section 15.5.6: a 405 MUST have Allow.
  // Without word of the route, the method exists and this resource refuses it as things are: it can still be read.
  if (status === 405) headers['allow'] = (allow ?? ['GET', 'HEAD']).join(', ')
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  if (size !== undefined) headers['content-range'] = `bytes */${size}`
  // RFC 9110 section 15.5.2: a 401 MUST have a challenge. One that the host has given is the host's last word.
  if (challenge !== undefined || status === 401) headers['www-authenticate'] = challenge ?? own()
  return json(
    status,
    {
      errors: [{ code, message: error.message, ...(error.detail === undefined ? {} : { detail: error.detail }) }],
      ...more,
    },
    headers,
  )
}

/** Faults of the machine that a client should try again after, by the code of the system call or of the store. */
export const machineFault = (
  error: unknown,
): { fault: 'storage-full' | 'overloaded'; retryAfter: number } | undefined => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'STORAGE_FULL':
      return { fault: 'storage-full', retryAfter: 60 }
    case 'EMFILE':
    case 'ENFILE':
    case 'OVERLOADED':
    case 'UNAVAILABLE':
    case 'CLOSED':
      return { fault: 'overloaded', retryAfter: 1 }
    default:
      return undefined
  }
}
