import { hkdfSync, randomBytes } from 'node:crypto'
import { compactDecrypt, CompactEncrypt, type JWK } from 'jose'
import { OptionsError } from '../../errors.ts'
import { openSecretFile } from './secret-file.ts'

/** What seals the private keys that are kept in the database: who has a copy of the database alone cannot sign with them. */
export interface Secret {
  /** As compact JWE (`dir`, `A256GCM`). It opens only for the same key id: rows cannot be swapped. */
  seal(jwk: JWK, id: string): Promise<string>
  /** Undefined when it was sealed with another secret, for another id, or changed since. */
  open(sealed: string, id: string): Promise<JWK | undefined>
}

export interface SecretOptions {
  readonly given: string | undefined
  /** The data directory; undefined when nothing outlives this process, so that the secret need not either. */
  readonly directory: string | undefined
}

/**
 * The secret that was given, or that of the data directory, made there at the first start.
 *
 * @throws Error when it is too weak, or when its file cannot be trusted.
 */
export const loadSecret = async ({ given, directory }: SecretOptions): Promise<Secret> => {
  if (given !== undefined) return createSecret(checked(given))
  if (directory !== undefined) return createSecret(await openSecretFile(directory))
  return createSecret(randomBytes(32).toString('hex'))
}

const remedy = 'Make one with: openssl rand -hex 32'

const leastCharacters = 32
/** Fewer are one key held down, or a few in turn. 32 random hex digits have eight or more. */
const leastDifferent = 6

/** What is wrong with a secret, as the end of a sentence that begins with what it is called; undefined when nothing is. */
export const weakness = (secret: string): string | undefined => {
  if (secret.length < leastCharacters) {
    return `has ${secret.length} characters, at least ${leastCharacters} are needed. ${remedy}`
  }
  if (new Set(secret).size < leastDifferent) return `repeats a few characters and can be guessed. ${remedy}`
  return undefined
}

const checked = (secret: string): string => {
  const weak = weakness(secret)
  if (weak !== undefined) throw new OptionsError(`The secret (\`accounts.secret\`) ${weak}`)
  return secret
}

const createSecret = (text: string): Secret => {
  const key = new Uint8Array(hkdfSync('sha256', text, '', 'stowage signing keys', 32))
  return {
    seal: (jwk, id) =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: id })
        .encrypt(key),
    open: async (sealed, id) => {
      try {
        const { plaintext, protectedHeader } = await compactDecrypt(sealed, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        })
        return protectedHeader.kid === id ? (JSON.parse(new TextDecoder().decode(plaintext)) as JWK) : undefined
      } catch {
        return undefined
      }
    },
  }
}
