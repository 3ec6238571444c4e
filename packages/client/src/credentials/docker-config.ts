import { join, resolve } from 'node:path'
import { isClientError } from '../errors.ts'
import { type AuthFile, authsFor, firstInline, helperFor, parseAuthFile, registryHelper } from './auth-file.ts'
import type { Credential, CredentialSource } from './credential.ts'
import { type Environment, homeDirectory, variable } from './environment.ts'
import { type AskHelper, type HelperUse, rememberAnswers } from './helper-answers.ts'
import { cachedFile } from './read-file.ts'
import { dockerSpelling, keyOf, type RegistryKey } from './registry-key.ts'

/** Which of Docker’s configurations is read, and how its helpers are used. */
export interface DockerConfigOptions {
  /**
   * The file, and nothing else: `DOCKER_AUTH_CONFIG` and `DOCKER_CONFIG` do not count then. `$DOCKER_CONFIG/config.json` or
   * `~/.docker/config.json` unless set.
   */
  readonly path?: string
  /** `process.env` unless set. */
  readonly environment?: Environment
  /** How helpers are used; `false` runs none, and reads only what the file itself holds. */
  readonly helpers?: HelperUse | false
  /** Told once of each thing that a person should know and that stops nothing. */
  readonly onWarning?: (message: string) => void
}

export const dockerConfigPath = (environment: Environment): string =>
  resolve(join(variable(environment, 'DOCKER_CONFIG') ?? join(homeDirectory(environment), '.docker'), 'config.json'))

/**
 * Credentials as Docker has them. In this order:
 *
 * 1. `DOCKER_AUTH_CONFIG`, which holds the text of such a file (GitLab CI sets it);
 * 2. entries of `auths` for a namespace or repository (`registry.example/team`), the longest first: Docker knows none, but
 *    what is kept for a part is meant for it more than what is kept for all;
 * 3. the helper that `credHelpers` names for the registry, else the one of `credsStore`;
 * 4. the entry of `auths` for the registry.
 *
 * A registry is found by its exact host and port. The names of Docker Hub (`docker.io`, `index.docker.io`,
 * `registry-1.docker.io`) are one. The file is read anew when it has changed. One that is not there has no credentials.
 *
 * A `credsStore` that is not installed stops nothing as long as the file does not say that it keeps something for the registry:
 * configurations of desktops are copied to servers, and public images need no credentials. It is a warning.
 *
 * @throws {ClientError} when asked: `invalid-content` for a file that is wrong, and what `CredentialHelper` throws
 */
export const dockerConfig = (options: DockerConfigOptions = {}): CredentialSource => {
  const { environment = process.env, helpers, onWarning } = options
  const path = options.path ?? dockerConfigPath(environment)
  const file = cachedFile(path, (text) => parseAuthFile(path, text))
  const ask = helpers === false ? undefined : rememberAnswers(environment, helpers)
  const inEnvironment = options.path === undefined ? variable(environment, 'DOCKER_AUTH_CONFIG') : undefined
  let fromEnvironment: AuthFile | undefined
  const warned = new Set<string>()
  const warn = (message: string): void => {
    if (!warned.has(message)) onWarning?.(message)
    warned.add(message)
  }

  return async (request) => {
    const wanted = keyOf(request)
    if (inEnvironment !== undefined) {
      fromEnvironment ??= parseAuthFile('DOCKER_AUTH_CONFIG', inEnvironment)
      const credential = await find(fromEnvironment, wanted, ask, warn)
      if (credential !== undefined) return credential
    }
    const config = await file()
    return config && find(config, wanted, ask, warn)
  }
}

const find = async (
  file: AuthFile,
  wanted: RegistryKey,
  ask: AskHelper | undefined,
  warn: (message: string) => void,
): Promise<Credential | undefined> => {
  const auths = authsFor(file, wanted)
  const { parts = [], whole = [] } = Object.groupBy(auths, ({ key }) => (key.path === '' ? 'whole' : 'parts'))
  const inline = firstInline(file, parts)
  if (inline !== undefined) return inline
  const helper = helperFor(file, wanted.registry)
  if (ask === undefined || helper === undefined) return firstInline(file, whole)
  try {
    const server = dockerSpelling({ registry: wanted.registry, path: '' })
    return (await ask(file, helper, server)) ?? firstInline(file, whole)
  } catch (error) {
    const isDefault = registryHelper(file, wanted.registry) === undefined
    if (!isDefault || !isClientError(error, 'usage')) throw error
    const credential = firstInline(file, whole)
    // Docker leaves an empty entry for what its store keeps: without the program that cannot be had.
    if (credential === undefined && whole.length > 0) throw error
    warn(error.message)
    return credential
  }
}
