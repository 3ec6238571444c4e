import { RegistryError } from '../errors.ts'

/** What an `Authorization` header says, before anybody has looked whether it is true. */
export type Authorization =
  | { readonly scheme: 'basic'; readonly name: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string }
  /** Digest, Negotiate and whatever else there is. */
  | { readonly scheme: 'unknown' }

/** Characters. Nothing longer is looked at: a parser that is given megabytes is how token libraries fell over. */
const longest = 8 * 1024

const base64 = /^[A-Za-z0-9+/]+={0,2}$/
/** `b64token` of RFC 6750 section 2.1. */
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/
const control = /\p{Cc}/u
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an `Authorization` header (RFC 7617, RFC 6750). Undefined: there are no credentials, also where Basic has neither a
 * name nor a password, which some clients send when they have been given none.
 *
 * @throws RegistryError `unauthorized` for what cannot be read.
 */
export const parseAuthorization = (header: string | null): Authorization | undefined => {
  if (header === null || header === '') return undefined
  if (header.length > longest) throw malformed(`is longer than ${longest} characters`, 'invalid-credentials')
  const space = header.indexOf(' ')
  const scheme = (space === -1 ? header : header.slice(0, space)).toLowerCase()
  const credentials = space === -1 ? '' : header.slice(space + 1).trim()
  switch (scheme) {
    case 'basic':
      return parseBasic(credentials)
    case 'bearer':
      if (bearerToken.test(credentials)) return { scheme: 'bearer', token: credentials }
      throw malformed('has no token after `Bearer`', 'invalid-token')
    default:
      return { scheme: 'unknown' }
  }
}

const parseBasic = (credentials: string): Authorization | undefined => {
  if (!base64.test(credentials)) throw malformed('has no base64 after `Basic`', 'invalid-credentials')
  let text: string
  try {
    text = utf8.decode(Buffer.from(credentials, 'base64'))
  } catch {
    throw malformed('is not in UTF-8', 'invalid-credentials')
  }
  // "The user-id and password MUST NOT contain any control characters".
  if (control.test(text)) throw malformed('has control characters', 'invalid-credentials')
  // "a user-id containing a colon character is invalid": the first colon ends the name, all others are the password's.
  const colon = text.indexOf(':')
  if (colon === -1) throw malformed('has no colon between name and password', 'invalid-credentials')
  if (text === ':') return undefined
  return { scheme: 'basic', name: text.slice(0, colon), password: text.slice(colon + 1) }
}

const malformed = (what: string, login: 'invalid-credentials' | 'invalid-token'): RegistryError =>
  new RegistryError('unauthorized', `The header \`Authorization\` ${what}.`, { hints: { login } })
