import type { Credential, CredentialSource } from './credential.ts'
import { covers, keyOf, parseKey } from './registry-key.ts'

/**
 * One credential, for one registry (`registry.example:5000`) or one namespace of it (`registry.example/team`), and for no
 * other.
 *
 * @throws {ClientError} `usage` when `registry` names none
 */
export const staticCredential = (registry: string, credential: Credential): CredentialSource => {
  const key = parseKey(registry)
  return (request) => (covers(key, keyOf(request)) ? credential : undefined)
}
