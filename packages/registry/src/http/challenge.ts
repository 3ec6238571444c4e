import type { Action } from '../access/grant.ts'
import type { ErrorHints } from '../errors.ts'
import type { Client } from './client.ts'
import type { LoginSettings } from './resource.ts'
import { tokenPath } from './route.ts'

/** What a client was refused, as far as it goes into the challenge. */
export interface Refused {
  readonly action: Action | undefined
  /** Checked: what is no name of a repository appears in no header. */
  readonly repository: string | undefined
  readonly login: ErrorHints['login']
}

/** Where the registry was reached. */
export interface Reached {
  readonly client: Client
  readonly mount: string
  /** Empty where none is configured. */
  readonly publicUrl: string
}

/**
 * The registry's own challenge (RFC 6750 section 3, Docker's token protocol). Every value is quoted and there is always a
 * scope: clients of the field read it by a pattern that knows nothing else.
 *
 * The realm is the token server that is configured, else the endpoint at `publicUrl`, else the endpoint at the host that the
 * client has reached, by its own word: clients send credentials only to the origin they called. Where that word cannot be
 * one there is no place to send it to; Basic, which every client knows and the registry takes, needs none.
 */
export const challengeOf = (login: LoginSettings, refused: Refused, reached: Reached): string => {
  const realm = 'realm' in login ? login.realm : endpoint(reached)
  if (realm === undefined) return basicChallenge(login.service)
  const error = refused.login === undefined ? undefined : bearerErrors[refused.login]
  const parameters = [
    `realm=${quoted(realm)}`,
    `service=${quoted(login.service)}`,
    `scope=${quoted(scopeOf(refused))}`,
    ...(error === undefined ? [] : [`error=${quoted(error)}`]),
  ]
  return `Bearer ${parameters.join(',')}`
}

export const basicChallenge = (realm: string): string => `Basic realm=${quoted(realm)}`

const bearerErrors: Readonly<Partial<Record<NonNullable<ErrorHints['login']>, string>>> = {
  'insufficient-scope': 'insufficient_scope',
  'invalid-token': 'invalid_token',
}

const endpoint = ({ client, mount, publicUrl }: Reached): string | undefined => {
  if (publicUrl !== '') return `${publicUrl}${tokenPath}`
  if (client.authority === undefined || !urlPath.test(mount)) return undefined
  return `${client.scheme}://${client.authority}${mount}${tokenPath}`
}

/** What RFC 3986 lets stand in a path. */
const urlPath = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/

/** "repository:<name>:<actions>", as Docker's token protocol writes it. Where nothing in particular was asked, a scope that grants nothing. */
export const scopeOf = ({ action, repository }: Pick<Refused, 'action' | 'repository'>): string => {
  if (action === 'list') return 'registry:catalog:*'
  if (repository !== undefined) {
    if (action === 'pull' || action === 'delete') return `repository:${repository}:${action}`
    if (action === 'push') return `repository:${repository}:pull,push`
  }
  return 'registry:api:ping'
}

/** A quoted-string of RFC 9110 section 5.6.4. What cannot be in a header is left out. */
const quoted = (value: string): string => `"${value.replaceAll(/[^\u0020-\u007e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`
