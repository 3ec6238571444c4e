import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { SigningKeyRow } from '../../metadata/account-store.ts'
import { randomId } from './random-id.ts'
import type { Secret } from './secret.ts'

/** A key of the registry, ready for use. */
export interface SigningKey {
  /** The `kid`. */
  readonly id: string
  readonly algorithm: SigningKeyRow['algorithm']
  readonly publicKey: CryptoKey
  /** It cannot be exported. */
  readonly privateKey: CryptoKey
  readonly createdAt: number
}

export const makeKeyRow = async (
  secret: Secret,
  algorithm: SigningKeyRow['algorithm'],
  createdAt: number,
): Promise<SigningKeyRow> => {
  const id = randomId()
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(pair.privateKey)), alg: algorithm }
  return {
    id,
    algorithm,
    publicKey: JSON.stringify(publicPart(jwk)),
    sealedPrivateKey: await secret.seal(jwk, id),
    createdAt,
  }
}

/**
 * The key of a row, both halves from what was sealed: a row that somebody without the secret put into the database neither
 * signs nor verifies. Undefined when the secret does not open it.
 */
export const openKeyRow = async (secret: Secret, row: SigningKeyRow): Promise<SigningKey | undefined> => {
  const jwk = await secret.open(row.sealedPrivateKey, row.id)
  if (jwk === undefined || jwk.alg !== row.algorithm) return undefined
  const [publicKey, privateKey] = await Promise.all([
    importJWK(publicPart(jwk), row.algorithm),
    importJWK(jwk, row.algorithm, { extractable: false }),
  ])
  // Symmetric keys would be bytes; a sealed one never is.
  if (publicKey instanceof Uint8Array || privateKey instanceof Uint8Array) return undefined
  return { id: row.id, algorithm: row.algorithm, publicKey, privateKey, createdAt: row.createdAt }
}

const publicMembers = ['kty', 'crv', 'x', 'y', 'alg']

const publicPart = (jwk: JWK): JWK =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => publicMembers.includes(member)))
