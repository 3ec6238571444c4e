import type { CallOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { writeAuthEntry } from './auth-entry.ts'
import { type AuthFile, helperFor, parseAuthFile } from './auth-file.ts'
import type { Credential } from './credential.ts'
import { type CredentialHelper, credentialHelper } from './credential-helper.ts'
import { dockerConfigPath } from './docker-config.ts'
import { type Environment, variable } from './environment.ts'
import { editMember } from './json-edit.ts'
import { readSmallFile } from './read-file.ts'
import { dockerSpelling, parseKey, readKey, type RegistryKey } from './registry-key.ts'
import { replaceFile } from './replace-file.ts'
import { listStored, type StoredCredential } from './stored-credentials.ts'

/** Which file a store writes, and in whose surroundings. */
export interface CredentialStoreOptions {
  /** `$DOCKER_CONFIG/config.json` or `~/.docker/config.json` unless set. */
  readonly file?: string
  /** `process.env` unless set. */
  readonly environment?: Environment
  /** Milliseconds that one call of a helper may take. 30 000 unless set. */
  readonly timeout?: number
  /** Told of what a person should know and that stops nothing. */
  readonly onWarning?: (message: string) => void
}

/**
 * Where `docker login` puts credentials: the helper that `credHelpers` names for the registry, else that of `credsStore`, else
 * `auths` in the file.
 *
 * A registry is named like `registry.example:5000`, a namespace of it like `registry.example/team`. Helpers know no namespaces.
 *
 * All calls throw `ClientError`: `usage` for what is no registry or cannot be kept, `invalid-content` for a file that is wrong,
 * which is never written to, and what `CredentialHelper` throws.
 */
export interface CredentialStore {
  /** The place where it is now: the name of a program, or the path of the file, where it is not encrypted. */
  save(registry: string, credential: Credential, options?: CallOptions): Promise<string>
  /** Whether there was one. Credentials of the registry's namespaces stay. */
  remove(registry: string, options?: CallOptions): Promise<boolean>
  /** What there is, without secrets. A helper that cannot say what it has is a warning. */
  list(options?: CallOptions): Promise<readonly StoredCredential[]>
}

/** The store that `login` and `logout` write to. Opens nothing before its first call. */
export const credentialStore = (options: CredentialStoreOptions = {}): CredentialStore => {
  const { environment = process.env, timeout, onWarning } = options
  const path = options.file ?? dockerConfigPath(environment)
  const read = async (): Promise<AuthFile> => parseAuthFile(path, (await readSmallFile(path))?.text ?? '')
  const toHelper = (name: string, configuredBy: string): CredentialHelper =>
    credentialHelper(name, { environment, configuredBy, ...(timeout === undefined ? {} : { timeout }) })
  const helperOf = (file: AuthFile, { registry }: RegistryKey): CredentialHelper | undefined => {
    const named = helperFor(file, registry)
    return named && toHelper(named.helper, named.configuredBy)
  }

  return {
    async save(registry, credential, call) {
      const key = parseKey(registry)
      const spelling = dockerSpelling(key)
      const helper = helperOf(await read(), key)
      if (helper !== undefined && key.path !== '') {
        throw new ClientError('unsupported', `${helper.program} keeps credentials of registries, not of ${spelling}.`, {
          subject: spelling,
          hint: `Keep one for ${key.registry}, or give ${key.registry} the helper "" in credHelpers: then the file keeps it.`,
        })
      }
      // An empty entry says that a helper has it. Docker leaves the same.
      const entry = helper === undefined ? writeAuthEntry(credential) : {}
      await helper?.store(spelling, credential, call)
      await replaceFile(path, (text = '') => {
        const others = spellingsOf(path, text, key).filter((other) => other !== spelling)
        const start = text.trim() === '' ? '{}\n' : text
        return editMember(withoutAuths(start, others), 'auths', spelling, entry)
      })
      if (options.file === undefined && variable(environment, 'DOCKER_AUTH_CONFIG') !== undefined) {
        onWarning?.('DOCKER_AUTH_CONFIG is set: what it holds comes before what was saved.')
      }
      return helper?.program ?? path
    },

    async remove(registry, call) {
      const key = parseKey(registry)
      const helper = key.path === '' ? helperOf(await read(), key) : undefined
      let removed = (await helper?.erase(dockerSpelling(key), call)) ?? false
      await replaceFile(path, (text) => {
        if (text === undefined) return undefined
        const spellings = spellingsOf(path, text, key)
        removed ||= spellings.length > 0
        return withoutAuths(text, spellings)
      })
      return removed
    },

    async list(call) {
      return listStored(await read(), toHelper, onWarning, call)
    },
  }
}

/** The keys of `auths` that stand for exactly this. */
const spellingsOf = (path: string, text: string, { registry, path: part }: RegistryKey): string[] =>
  [...parseAuthFile(path, text).auths.keys()].filter((spelling) => {
    const key = readKey(spelling)
    return key.registry === registry && key.path === part
  })

const withoutAuths = (text: string, spellings: readonly string[]): string =>
  spellings.reduce((rest, spelling) => editMember(rest, 'auths', spelling, undefined), text)
