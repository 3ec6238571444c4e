import { stripVTControlCharacters } from 'node:util'
import { ClientError } from '../errors.ts'
import type { Credential } from './credential.ts'

/** An entry of a helper's list. */
export interface StoredUser {
  /** As the helper has it: often a host, sometimes a URL. */
  readonly server: string
  readonly username: string
}

/**
 * What a helper says to `get`: `{"ServerURL": …, "Username": …, "Secret": …}`. Two empty ones mean that it has nothing.
 *
 * @throws {ClientError} `invalid-content`
 */
export const readHelperAnswer = (name: string, stdout: string, tokenUser: string): Credential | undefined => {
  const { Username: username, Secret: secret } = readObject(name, stdout)
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new ClientError('invalid-content', `${name} gives no Username and Secret.`)
  }
  if (username === '' && secret === '') return undefined
  return username === tokenUser
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret }
}

/**
 * What a helper says to `list`: `{"server": "username"}`.
 *
 * @throws {ClientError} `invalid-content`
 */
export const readHelperList = (name: string, stdout: string): StoredUser[] =>
  // A helper written in Go says `null` where its list is empty.
  Object.entries(stdout.trim() === 'null' ? {} : readObject(name, stdout)).map(([server, username]) => {
    if (typeof username === 'string') return { server, username }
    throw new ClientError('invalid-content', `${name} gives a list with something other than usernames.`)
  })

/** What a helper says when it fails, on one short line: not what looks like an answer, and not the secret it was given. */
export const wordsOf = (output: string, secret = ''): string => {
  if (/"secret"/i.test(output)) return ''
  const words = stripVTControlCharacters(secret === '' ? output : output.replaceAll(secret, '[secret]'))
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  return words.length > 300 ? `${words.slice(0, 300)}…` : words
}

const readObject = (name: string, stdout: string): Readonly<Record<string, unknown>> => {
  let value: unknown
  try {
    value = JSON.parse(stdout)
  } catch {
    // The engine's message would quote what may be a secret.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new ClientError('invalid-content', `${name} gives no JSON object.`)
}
