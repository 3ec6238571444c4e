import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { DigestAlgorithm, HashFactory } from '@stowage/oci'

/**
 * Hashes in JavaScript, for where there is nothing better: browsers have no hash that takes bytes piece by piece.
 * `@noble/hashes` is audited and has no dependency.
 */
export const javascriptHash: HashFactory = (algorithm) => {
  const hash = { sha256, sha384, sha512 }[algorithm].create()
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) }
}

/** What this module uses of `node:crypto`. It is asked for at run time: an import would keep browsers from loading the module. */
interface CryptoModule {
  createHash(algorithm: DigestAlgorithm): { update(bytes: Uint8Array): unknown; digest(encoding: 'hex'): string }
}

const runtime = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process
const nodeCrypto = runtime?.getBuiltinModule?.('node:crypto') as CryptoModule | undefined

/** The runtime's own hash in Node, Bun and Deno, else one in JavaScript. */
export const defaultHash: HashFactory =
  nodeCrypto === undefined
    ? javascriptHash
    : (algorithm) => {
        const hash = nodeCrypto.createHash(algorithm)
        return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') }
      }
