import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'
import { createKeyRing, type KeyRing } from '../accounts/tokens/key-ring.ts'
import { loadSecret, type Secret } from '../accounts/tokens/secret.ts'
import type { SigningKey } from '../accounts/tokens/signing-key.ts'
import { type Logger, silentLogger } from '../logger.ts'
import type { AccountStore } from '../metadata/account-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'

const newStore = async (): Promise<AccountStore> => {
  const directory = mkdtempSync(join(tmpdir(), 'stowage-keys-'))
  const metadata = await sqliteMetadata({ path: join(directory, 'metadata.db') })
  onTestFinished(async () => {
    await metadata[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })
  return metadata.accounts
}

export const newSecret = (): Promise<Secret> =>
  loadSecret({ given: randomBytes(32).toString('hex'), directory: undefined })

/** A store that counts what it is asked. */
export const counted = (store: AccountStore) => {
  const counts = { lists: 0, adds: 0 }
  const counting: AccountStore = {
    ...store,
    listSigningKeys: () => {
      counts.lists += 1
      return store.listSigningKeys()
    },
    addSigningKey: (...args) => {
      counts.adds += 1
      return store.addSigningKey(...args)
    },
  }
  return { store: counting, counts }
}

/** A store of its own for a test, and rings on it as processes of one deployment have them. */
export const setUpKeys = async (algorithm: 'EdDSA' | 'ES256' = 'EdDSA') => {
  const store = await newStore()
  const secret = await newSecret()
  const clock = { at: 1_700_000_000_000 }
  const ring = (logger: Logger = silentLogger): KeyRing =>
    createKeyRing({ store, secret, algorithm, now: () => clock.at, logger })
  return { store, secret, clock, ring }
}

/** Whether what one key signs is verified by the other; throws when it is not. */
export const signs = async (signing: SigningKey, verifying: SigningKey | undefined): Promise<boolean> => {
  const token = await new SignJWT({}).setProtectedHeader({ alg: signing.algorithm }).sign(signing.privateKey)
  if (verifying === undefined) return false
  await jwtVerify(token, verifying.publicKey, { algorithms: [verifying.algorithm] })
  return true
}
