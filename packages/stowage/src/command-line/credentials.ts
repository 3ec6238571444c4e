import type { Credential } from '@stowage/client'
import { StowageError } from '../failure.ts'
import type { RegistrySettings } from './common-options.ts'

/** Asks for a password, or reads it from stdin. */
export interface PasswordPrompt {
  /** @throws {StowageError} `usage` where nobody can be asked */
  ask(question: string): Promise<string>
  /** All of stdin, without the line's end. */
  readStdin(): Promise<string>
}

export type CredentialSettings = Pick<
  RegistrySettings,
  'username' | 'password' | 'passwordStdin' | 'identityToken' | 'identityTokenStdin' | 'credentials'
>

/** The credential that the command line gives, if it does. @throws {StowageError} `usage` when it gives half of one */
export const givenCredential = async (
  settings: CredentialSettings,
  prompt: PasswordPrompt,
): Promise<Credential | undefined> => {
  const { username, password, passwordStdin, identityToken, identityTokenStdin, credentials } = settings
  const ways = [password, passwordStdin || undefined, identityToken, identityTokenStdin || undefined, credentials]
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw new StowageError('usage', 'The command line gives more than one password or token. Give one of them.')
  }
  if (identityToken !== undefined || identityTokenStdin) {
    if (username !== undefined) throw new StowageError('usage', 'A token has no user name: leave out --username.')
    return { kind: 'identity-token', token: present(identityToken ?? (await prompt.readStdin()), 'The token') }
  }
  if (credentials !== undefined) {
    const colon = credentials.indexOf(':')
    if (username === undefined && colon > 0) {
      return { kind: 'password', username: credentials.slice(0, colon), password: credentials.slice(colon + 1) }
    }
    throw new StowageError('usage', '--creds must be name:password, without --username.')
  }
  if (username === undefined) {
    if (password === undefined && !passwordStdin) return undefined
    throw new StowageError('usage', 'There is a password without a user name. Give --username too.')
  }
  const secret = password ?? (await (passwordStdin ? prompt.readStdin() : prompt.ask(`Password of ${username}`)))
  return { kind: 'password', username: present(username, 'The user name'), password: present(secret, 'The password') }
}

const present = (value: string, what: string): string => {
  if (value !== '') return value
  throw new StowageError('usage', `${what} is empty.`)
}
