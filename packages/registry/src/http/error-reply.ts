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
export const machineFault = (error: unknown): MachineFault | undefined => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    // A limit on the size of a file, as a host may set it for the process.
    case 'EFBIG':
    case 'STORAGE_FULL':
      return { fault: 'storage-full', retryAfter: 60, message: 'The storage of the registry is full.' }
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
    case 'EAGAIN':
    case 'EINTR':
    case 'OVERLOADED':
    case 'CLOSED':
      return { fault: 'overloaded', retryAfter: 1, message: 'The registry is overloaded.' }
    case 'UNAVAILABLE':
      return { fault: 'overloaded', retryAfter: 1, message: 'The storage of the registry cannot be used for now.' }
    // Nothing mends these in a second, but another server may stand behind the same name.
    case 'EIO':
    case 'EROFS':
    case 'WRITES_STOPPED':
      return { fault: 'overloaded', retryAfter: 5, message: 'The storage of the registry failed.' }
    default:
      return undefined
  }
}

export interface MachineFault {
  readonly fault: 'storage-full' | 'overloaded'
  /** Seconds. */
  readonly retryAfter: number
  /** For the client: what is wrong, and nothing of where. */
  readonly message: string
}
