import { ClientError } from '../errors.ts'
import type { Credential } from './credential.ts'

/** One value of `auths`, as Docker and Podman write it. What they do not know is not looked at. */
export type AuthEntry = Readonly<Record<string, unknown>>

/**
 * The credential of an entry; `undefined` if it has none, as the entry that Docker leaves behind for a helper.
 *
 * `place` names file and entry. A registry token comes before an identity token, and that before a password, as in Docker.
 *
 * @throws {ClientError} `invalid-content`
 */
export const readAuthEntry = (place: string, entry: AuthEntry): Credential | undefined => {
  const registryToken = text(place, entry, 'registrytoken')
  if (registryToken !== '') return { kind: 'registry-token', token: registryToken }
  const identityToken = text(place, entry, 'identitytoken')
  if (identityToken !== '') return { kind: 'identity-token', token: identityToken }
  const auth = text(place, entry, 'auth')
  if (auth !== '') return { kind: 'password', ...decode(`${place}.auth`, auth) }
  const username = text(place, entry, 'username')
  return username === '' ? undefined : { kind: 'password', username, password: text(place, entry, 'password') }
}

/**
 * The entry that other programs read as this credential.
 *
 * @throws {ClientError} `usage` when it cannot be written so
 */
export const writeAuthEntry = (credential: Credential): AuthEntry => {
  if (credential.kind !== 'password' && credential.token === '') throw new ClientError('usage', 'The token is empty.')
  if (credential.kind === 'registry-token') return { registrytoken: credential.token }
  // Podman leaves out entries without `auth`, so there is one; this name is what Docker's helpers call a token.
  if (credential.kind === 'identity-token') return { auth: encode('<token>', ''), identitytoken: credential.token }
  const { username, password } = credential
  if (username === '' || username.includes(':')) {
    throw new ClientError('usage', 'A username must not be empty and must not have a ":".', {
      hint: 'Basic authentication (RFC 7617) takes what follows the first colon for the password.',
    })
  }
  return { auth: encode(username, password) }
}

const text = (place: string, entry: AuthEntry, field: string): string => {
  const value = entry[field]
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new ClientError('invalid-content', `${place}.${field} is not a string.`, { subject: place })
}

const encode = (username: string, password: string): string => Buffer.from(`${username}:${password}`).toString('base64')

const utf8 = new TextDecoder('utf-8', { fatal: true })

const decode = (place: string, auth: string): { username: string; password: string } => {
  const invalid = (problem: string): ClientError =>
    new ClientError('invalid-content', `${place} ${problem}.`, {
      subject: place,
      hint: 'It is the base64 of "username:password". Log in again to have it written anew.',
    })
  const base64 = auth.replaceAll(/[\r\n]/g, '')
  // `Buffer` leaves out what is not base64, and would make a wrong password of it.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw invalid('is not base64')
  let decoded: string
  try {
    decoded = utf8.decode(Buffer.from(base64, 'base64'))
  } catch {
    throw invalid('is not UTF-8')
  }
  const colon = decoded.indexOf(':')
  if (colon < 1) throw invalid('has no username with a colon behind it')
  // Old files have the password filled up with zeros; Docker takes them away, too.
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replaceAll(/^\0+|\0+$/g, '') }
}
