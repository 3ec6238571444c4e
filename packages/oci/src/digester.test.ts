import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestAlgorithms } from './digest.ts'
import { createDigester, digestOf, type HashFactory, webDigest } from './digester.ts'

const nodeHash: HashFactory = (algorithm) => {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') }
}

test('one shot, in pieces and by Web Crypto the same bytes have the same digest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
      fc.constantFrom(...digestAlgorithms),
      async (pieces, algorithm) => {
        const whole = new Uint8Array(Buffer.concat(pieces))
        const digester = createDigester(nodeHash, algorithm)
        for (const piece of pieces) digester.update(piece)
        expect(digester.digest()).toBe(digestOf(whole, nodeHash, algorithm))
        expect(digester.digest()).toBe(await webDigest(whole, algorithm))
      },
    ),
    { numRuns: 50 },
  )
})

test('the digest of nothing is the one everybody knows', async () => {
  const known = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  expect(digestOf(new Uint8Array(), nodeHash)).toBe(known)
  expect(createDigester(nodeHash).digest()).toBe(known)
  expect(await webDigest(new Uint8Array())).toBe(known)
})

test('bytes of a view and of shared memory count, and no others', async () => {
  const bytes = new TextEncoder().encode('stowage')
  const around = new Uint8Array([0, ...bytes, 0])
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength))
  shared.set(bytes)
  expect(await webDigest(around.subarray(1, -1))).toBe(await webDigest(bytes))
  expect(await webDigest(shared)).toBe(await webDigest(bytes))
})

test('a finished digester takes no more bytes', () => {
  const digester = createDigester(nodeHash)
  const digest = digester.digest()
  expect(() => digester.update(new Uint8Array(1))).toThrow('The digest is finished')
  expect(digester.digest()).toBe(digest)
})

test('a hash that gives something else than lower-case hex of its length is refused', () => {
  const upper: HashFactory = (algorithm) => {
    const hasher = nodeHash(algorithm)
    return { update: (bytes) => hasher.update(bytes), hex: () => hasher.hex().toUpperCase() }
  }
  expect(() => digestOf(new Uint8Array(), upper)).toThrow('must give lower-case hex')
  expect(() => createDigester(() => nodeHash('sha256'), 'sha512').digest()).toThrow('The hash for sha512')
})
