import { platform } from 'node:os'
import { join, resolve } from 'node:path'
import { type AuthFile, authsFor, firstInline, parseAuthFile, registryHelper } from './auth-file.ts'
import type { Credential, CredentialSource } from './credential.ts'
import { type Environment, homeDirectory, variable } from './environment.ts'
import { type AskHelper, type HelperUse, rememberAnswers } from './helper-answers.ts'
import { cachedFile } from './read-file.ts'
import { keyOf, type RegistryKey } from './registry-key.ts'

/** Which of podman’s files are read. */
export interface PodmanAuthOptions {
  /** The file, and nothing else. The places that Podman knows unless set. */
  readonly path?: string
  /** `process.env` unless set. */
  readonly environment?: Environment
  /** How helpers are used; `false` runs none, and reads only what the files themselves hold. */
  readonly helpers?: HelperUse | false
}

/**
 * Credentials as Podman, Buildah and Skopeo have them: containers-auth.json(5).
 *
 * The file that `REGISTRY_AUTH_FILE` names and no other; without it `$XDG_RUNTIME_DIR/containers/auth.json` (on Linux), then
 * `containers/auth.json` in `$XDG_CONFIG_HOME` or `~/.config`. In each: the helper that `credHelpers` names for the registry
 * (what `auths` says does not count then), else `auths`, the longest of `registry/namespace/repository`, `registry/namespace`,
 * `registry` first.
 *
 * @throws {ClientError} when asked: `invalid-content` for a file that is wrong, and what `CredentialHelper` throws
 */
export const podmanAuth = ({ path, environment = process.env, helpers }: PodmanAuthOptions = {}): CredentialSource => {
  const ask = helpers === false ? undefined : rememberAnswers(environment, helpers)
  const files = (path === undefined ? podmanAuthPaths(environment) : [path]).map((name) =>
    cachedFile(name, (text) => parseAuthFile(name, text)),
  )
  return async (request) => {
    const wanted = keyOf(request)
    for (const file of files) {
      const auth = await file()
      const credential = auth && (await find(auth, wanted, ask))
      if (credential !== undefined) return credential
    }
    return undefined
  }
}

/** Where Podman looks, in its order. */
export const podmanAuthPaths = (environment: Environment): string[] => {
  const named = variable(environment, 'REGISTRY_AUTH_FILE')
  if (named !== undefined) return [resolve(named)]
  const home = homeDirectory(environment)
  const configuration = variable(environment, 'XDG_CONFIG_HOME') ?? join(home, '.config')
  const paths = [join(configuration, 'containers', 'auth.json')]
  if (platform() === 'linux') {
    const run = variable(environment, 'XDG_RUNTIME_DIR')
    const directory = run === undefined ? `/run/containers/${process.getuid?.() ?? 0}` : join(run, 'containers')
    paths.unshift(join(directory, 'auth.json'))
  }
  return paths
}

const find = async (
  file: AuthFile,
  wanted: RegistryKey,
  ask: AskHelper | undefined,
): Promise<Credential | undefined> => {
  const helper = registryHelper(file, wanted.registry)
  if (ask !== undefined && helper !== undefined && helper !== 'none') return ask(file, helper, wanted.registry)
  return firstInline(file, authsFor(file, wanted))
}
