import { type ClientErrorCode, type ClientError, isClientError } from '@stowage/client'
import { ParseError } from '@stowage/oci'
import { escapeControls } from '../config/show.ts'
import { exitCodes, type Failure, StowageError } from '../failure.ts'
import { isLoopback } from './places.ts'

/** What is said of an error, and the code that the command exits with. */
export interface Explanation {
  readonly lines: readonly string[]
  readonly code: number
}

/** What is known of the command line besides. */
export interface Circumstances {
  /** Whether the command has options for each side: a hint names those of the side that failed. */
  readonly twoSided?: boolean
  /** Whether the command line gives credentials, for this side if there are two. */
  readonly givesCredentials?: (side: ClientError['side']) => boolean
}

/** Codes of the client as exit codes. What is not here is a failure of its own. */
const failures: Partial<Record<ClientErrorCode, Failure>> = {
  usage: 'usage',
  'not-found': 'not-found',
  unauthorized: 'unauthorized',
  denied: 'denied',
  'rate-limited': 'rate-limited',
  'digest-mismatch': 'digest-mismatch',
  network: 'network',
  timeout: 'network',
  aborted: 'interrupted',
}

/** A message with what it is about, the registry's own words, and what to try. A stack only for what nobody expected. */
export const explain = (error: unknown, circumstances: Circumstances = {}): Explanation => {
  if (isClientError(error)) {
    const hint = hintOf(error, circumstances)
    return {
      // A registry's words are in it: a line of its own would look like one of ours.
      lines: [withSubject(error), ...(hint === undefined ? [] : [hint])].map(escapeControls),
      code: exitCodes[failures[error.code] ?? 'failed'],
    }
  }
  if (error instanceof StowageError) {
    return {
      lines: [error.message, error.hint ?? ''].filter((line) => line !== ''),
      code: exitCodes[error.failure],
    }
  }
  // What is no manifest, config or index, though a registry said it was.
  if (error instanceof ParseError) return { lines: [escapeControls(error.message)], code: exitCodes.failed }
  if (isSystemError(error)) {
    // What cannot be renamed is no input.
    const isMissing = error.code === 'ENOENT' && error.syscall !== 'rename'
    return { lines: [escapeControls(systemProblem(error))], code: exitCodes[isMissing ? 'not-found' : 'failed'] }
  }
  return {
    lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    code: exitCodes.internal,
  }
}

/** The message names the reference; where it does not, that goes before it. */
const withSubject = ({ message, subject, side }: ClientError): string => {
  const about = subject === undefined || message.includes(subject) ? message : `${subject}: ${message}`
  return side === undefined || about.includes(side) ? about : `${about} (at the ${side})`
}

/** The client's hint in the words of a command line. */
const hintOf = (
  error: ClientError,
  { twoSided = false, givesCredentials = () => false }: Circumstances,
): string | undefined => {
  const { code, hint, retryAfter, subject = '', side, status, errors } = error
  const prefix = !twoSided || side === undefined ? '' : side === 'source' ? 'from-' : 'to-'
  const [registry = ''] = subject.replace(/^an upload to |^the repositories of /, '').split('/')
  if (code === 'unauthorized' && givesCredentials(side)) {
    return 'The credentials that the command line gives are wrong. Some registries want a token in place of the password.'
  }
  // What speaks TLS says so, in words that are no registry's, to whoever speaks HTTP to it.
  if (status === 400 && errors.length === 0 && isLoopback(registry)) {
    return `It seems to speak TLS: write https://${registry}`
  }
  if (code === 'unauthorized' && /[.:]|^localhost$/.test(registry)) return `Log in with: stowage login ${registry}`
  if (code === 'rate-limited' && retryAfter !== undefined) {
    return `The registry says to try again in ${Math.ceil(retryAfter / 1000)} seconds. Most allow more to whom they know: stowage login`
  }
  if (hint !== undefined && /token server/.test(hint)) return hint.replace(/ hosts\[.*$/, ' --token-server HOST.')
  if (hint !== undefined && /certificate/i.test(hint))
    return `${hint} Options: --${prefix}ca-file, or --${prefix}insecure for a test.`
  if (hint !== undefined && /plain HTTP/i.test(hint)) return `${hint} Option: --${prefix}plain-http.`
  return hint
}

/** What the system says of a file, in words. */
const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there: a part of its path is no directory',
  EISDIR: 'is a directory, where a file is wanted',
  EEXIST: 'is there already',
  EACCES: 'may not be opened: check its permissions, and those of the directories above it',
  EROFS: 'is on a file system that cannot be written to',
  ENOTEMPTY: 'is a directory that is not empty',
}

const systemProblem = ({ code = '', path, message }: NodeJS.ErrnoException): string => {
  const reason = systemReasons[code]
  return reason === undefined || path === undefined ? `${message}.` : `${path} ${reason}.`
}

/** Of the file system: the message of Node says why, and mostly which file. A full disk is told without one. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'code' in error
