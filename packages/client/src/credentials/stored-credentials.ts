import type { CallOptions } from '../content/ports.ts'
import { type AuthFile, firstInline, helperFor } from './auth-file.ts'
import type { Credential } from './credential.ts'
import type { CredentialHelper } from './credential-helper.ts'
import { readKey, shownKey } from './registry-key.ts'

/** A credential that is kept somewhere, without its secret. */
export interface StoredCredential {
  /** `registry.example:5000`, `registry.example/team`; `docker.io` for Docker Hub. */
  readonly registry: string
  /** Of a password; a helper may give one with a token, too. */
  readonly username?: string
  /** Unknown where a helper has it. */
  readonly kind?: Credential['kind']
  /** The name of a program, or the path of a file. */
  readonly place: string
}

/** What a file and its helpers have, as Docker would find it: an entry that a helper comes before is not listed. */
export const listStored = async (
  file: AuthFile,
  toHelper: (name: string, configuredBy: string) => CredentialHelper,
  onWarning: ((message: string) => void) | undefined,
  call: CallOptions | undefined,
): Promise<StoredCredential[]> => {
  const found = new Map<string, StoredCredential>()
  const attempt = async (list: () => Promise<void> | void): Promise<void> => {
    try {
      await list()
    } catch (error) {
      if (call?.signal?.aborted === true || !(error instanceof Error)) throw error
      onWarning?.(error.message)
    }
  }

  const helpers = new Set([file.credsStore, ...file.credHelpers.values()])
  for (const name of helpers) {
    if (name === undefined || name === '') continue
    await attempt(async () => {
      const source = name === file.credsStore ? 'credsStore' : 'credHelpers'
      const helper = toHelper(name, `${source} in ${file.name}`)
      for (const { server, username } of await helper.list(call)) {
        const { registry, path } = readKey(server)
        // Helpers keep other things, too: tokens of Docker's own login, credentials that Git shares with them.
        if (path !== '' || shownKey(server) === undefined || helperFor(file, registry)?.helper !== name) continue
        found.set(registry, { registry, ...(username === '' ? {} : { username }), place: helper.program })
      }
    })
  }
  for (const text of file.auths.keys()) {
    await attempt(() => {
      const registry = shownKey(text)
      const credential = firstInline(file, [{ text }])
      if (registry === undefined || credential === undefined || found.has(registry)) return
      const username = credential.kind === 'password' ? { username: credential.username } : {}
      found.set(registry, { registry, ...username, kind: credential.kind, place: file.name })
    })
  }
  return [...found.values()]
}
