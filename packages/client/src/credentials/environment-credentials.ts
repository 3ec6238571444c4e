import { ClientError } from '../errors.ts'
import type { Credential, CredentialSource } from './credential.ts'
import { type Environment, variable } from './environment.ts'
import { covers, keyOf, parseKey } from './registry-key.ts'

/** Which environment is read. */
export interface EnvironmentCredentialsOptions {
  /** `process.env` unless set. */
  readonly environment?: Environment
}

/**
 * `STOWAGE_USERNAME` and `STOWAGE_PASSWORD`, or `STOWAGE_TOKEN` (sent as `Authorization: Bearer`), for the registry or
 * namespace that `STOWAGE_REGISTRY` names.
 *
 * Without `STOWAGE_REGISTRY` the others would be sent to whatever registry an image is pulled from, so that is an error, thrown
 * when credentials are asked for.
 *
 * @throws {ClientError} `usage` when the variables do not make a credential
 */
export const environmentCredentials =
  ({ environment = process.env }: EnvironmentCredentialsOptions = {}): CredentialSource =>
  (request) => {
    const credential = readCredential(environment)
    if (credential === undefined) return undefined
    const registry = variable(environment, 'STOWAGE_REGISTRY')
    if (registry === undefined) {
      throw new ClientError('usage', 'The environment has credentials, but does not say for which registry.', {
        hint: 'Set STOWAGE_REGISTRY to the host that they are for: without it they are sent nowhere.',
      })
    }
    return covers(parseKey(registry, 'STOWAGE_REGISTRY'), keyOf(request)) ? credential : undefined
  }

const readCredential = (environment: Environment): Credential | undefined => {
  const username = variable(environment, 'STOWAGE_USERNAME')
  const password = variable(environment, 'STOWAGE_PASSWORD')
  const token = variable(environment, 'STOWAGE_TOKEN')
  if (token !== undefined) {
    if (username === undefined && password === undefined) return { kind: 'registry-token', token }
    throw new ClientError('usage', 'STOWAGE_TOKEN is set beside STOWAGE_USERNAME or STOWAGE_PASSWORD.', {
      hint: 'Set either the token, or username and password. A token that stands for a password goes into STOWAGE_PASSWORD.',
    })
  }
  if (username !== undefined && password !== undefined) return { kind: 'password', username, password }
  if (username === undefined && password === undefined) return undefined
  const [set, missing] =
    username === undefined ? ['STOWAGE_PASSWORD', 'STOWAGE_USERNAME'] : ['STOWAGE_USERNAME', 'STOWAGE_PASSWORD']
  throw new ClientError('usage', `${set} is set, but ${missing} is not.`, { hint: 'Set both, or none.' })
}
