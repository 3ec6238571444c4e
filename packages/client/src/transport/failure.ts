import { type ErrorInfo, parseErrorBody } from '@stowage/oci'
import { ClientError, type ClientErrorCode } from '../errors.ts'
import { withoutEcho } from './echo.ts'
import type { Answer } from './answer.ts'
import { printable } from './printable.ts'
import { parseRetryAfter } from './retry.ts'

/** Bytes of an error's body that are read. */
const bodyLimit = 64 * 1024

/** The error that an answer is, whoever has the misfortune to have got it. Reads its body. */
export const failureOf = async (answer: Answer, subject: string): Promise<ClientError> => {
  const { status, headers, url, shown } = answer
  const errors = withoutEcho(parseErrorBody(new TextDecoder().decode(await answer.glance(bodyLimit))), shown)
  const code = codeOf(status, errors)
  const retryAfter = parseRetryAfter(headers.get('retry-after'), Date.now())
  const said = errors
    .map(({ code: name, message }) => (message === undefined ? name : `${name}: ${message}`))
    .join('; ')
  const { host } = new URL(url)
  const text = `${subject}: ${host} answered ${status}${said === '' ? '' : ` (${printable(said)})`}`
  const hint = hints[code]
  return new ClientError(code, text, {
    subject,
    status,
    errors,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(hint === undefined ? {} : { hint }),
  })
}

const codeOf = (status: number, errors: readonly ErrorInfo[]): ClientErrorCode => {
  if (errors.some(({ code }) => code === 'TOOMANYREQUESTS') || status === 429) return 'rate-limited'
  if (status === 401) return 'unauthorized'
  // Docker Hub and others say 403 or 404 with UNAUTHORIZED or DENIED; the status is what a program can rely on.
  if (status === 403) return 'denied'
  if (status === 404) return 'not-found'
  if (status === 405 || errors.some(({ code }) => code === 'UNSUPPORTED')) return 'unsupported'
  if (status === 413) return 'too-large'
  if (errors.some(({ code }) => code === 'DIGEST_INVALID')) return 'digest-mismatch'
  if (status >= 500) return 'registry-failed'
  if (status >= 400) return 'rejected'
  return 'invalid-response'
}

const hints: Partial<Record<ClientErrorCode, string>> = {
  unauthorized: 'Log in to this registry, or check the credentials.',
  denied: 'Ask for the right to do this, or log in as somebody who has it.',
  'not-found': 'Check the name. A registry also says this of what the caller may not see.',
  'rate-limited': 'Wait and try again, or log in: most registries allow more to whom they know.',
  'registry-failed': 'Try again later, or tell who runs the registry.',
}
