import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Descriptor } from './descriptor.ts'
import { isDigest } from './digest.ts'
import { type Manifest, parseManifest, safeParseManifest } from './manifest.ts'
import { effectiveArtifactType, manifestReferences } from './manifest-references.ts'
import {
  isImageManifestMediaType,
  isIndexMediaType,
  isMediaType,
  manifestMediaTypes,
  mediaTypes,
} from './media-types.ts'
import { ParseError, type Result } from './result.ts'

// Manifests that are sound, and what happens to them on the way: members taken out, put in, doubled, changed to what breaks
// parsers; then the text cut, torn and rewritten. Whatever comes in, a manifest that comes out must keep its promises.

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Numbers from 0 to 1, the same for the same seed. */
const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const hex = 'b'.repeat(64)
const descriptor = {
  mediaType: 'application/octet-stream',
  digest: `sha256:${hex}`,
  size: 5,
  data: 'aGVsbG8=',
  urls: ['https://example.com'],
  annotations: { 'org.example': 'x' },
  artifactType: 'a/b',
  platform: { architecture: 'arm', os: 'linux', variant: 'v7', 'os.features': ['x'] },
}
const plain = { mediaType: mediaTypes.ociLayerGzip, digest: `sha512:${'0'.repeat(128)}`, size: 0 }
const common = { artifactType: 'application/vnd.example', subject: descriptor, annotations: { a: 'b', c: '' } }
const sound: readonly unknown[] = [
  { schemaVersion: 2, mediaType: mediaTypes.ociImageManifest, ...common, config: plain, layers: [plain, descriptor] },
  { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, ...common, manifests: [plain, descriptor] },
  { schemaVersion: 2, mediaType: mediaTypes.dockerManifest, config: plain, layers: [plain] },
  { schemaVersion: 2, mediaType: mediaTypes.dockerManifestList, manifests: [descriptor] },
  { mediaType: mediaTypes.ociArtifactManifest, ...common, blobs: [descriptor, plain] },
  { schemaVersion: 2, config: plain, layers: [] },
  { schemaVersion: 2, manifests: [] },
]

const odd: readonly string[] = [
  'null',
  'true',
  '""',
  '"x"',
  '0',
  '-1',
  '1.5',
  '1e3',
  '9007199254740993',
  '1e999',
  '[]',
  '{}',
  '[[]]',
  '{"a":1,"a":2}',
  '"__proto__"',
  '{"__proto__":1}',
  '"sha256:"',
  '"a/b"',
  String.raw`"\ud800"`,
  String.raw`"\u0000"`,
  JSON.stringify(descriptor),
  JSON.stringify(sound[1]),
  ...manifestMediaTypes.map((mediaType) => JSON.stringify(mediaType)),
]
const names = [
  'schemaVersion',
  'mediaType',
  'artifactType',
  'config',
  'layers',
  'manifests',
  'blobs',
  'subject',
  'annotations',
  'digest',
  'size',
  'data',
  'urls',
  'platform',
  '__proto__',
  'constructor',
  'Layers',
  'x',
  '',
  'toString',
]

/** Writes the value as JSON, with a change in about `rate` of its places. */
const write = (value: unknown, next: () => number, rate: number): string => {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  if (next() < rate) return pick(odd)
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) => {
      const text = write(item, next, rate)
      return next() < rate ? (next() < 0.5 ? [] : [text, text]) : [text]
    })
    return `[${items.join()}]`
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).flatMap(([name, member]) => {
      const text = `${JSON.stringify(name)}:${write(member, next, rate)}`
      const chance = next() / rate
      if (chance < 0.3) return []
      if (chance < 0.5) return [text, `${JSON.stringify(name)}:${pick(odd)}`]
      if (chance < 1) return [text, `${JSON.stringify(pick(names))}:${pick(odd)}`]
      return [text]
    })
    return `{${members.join()}}`
  }
  return JSON.stringify(value)
}

const tear = (text: string, next: () => number): Uint8Array => {
  const bytes = encode(text)
  const at = Math.floor(next() * bytes.length)
  switch (Math.floor(next() * 5)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      bytes[at] = Math.floor(next() * 256)
      return bytes
    case 2:
      return new Uint8Array([...bytes, ...bytes.subarray(at)])
    case 3:
      return encode(text.replaceAll(/\d+/g, (digits) => (next() < 0.2 ? `${digits}.0` : digits)))
    default:
      return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(Math.floor(next() * bytes.length))])
  }
}

const contentTypes = [
  undefined,
  undefined,
  'application/json',
  'text/plain; charset=utf-8',
  'text/html',
  '',
  ...manifestMediaTypes,
]

/** Not by `expect`, which takes its time, and there is much to check. */
const must = (holds: boolean, promise: string): void => {
  if (!holds) throw new Error(promise)
}

const keepsItsWord = (descriptors: readonly Descriptor[]): void => {
  for (const { mediaType, digest, size, urls, annotations, data, artifactType, platform } of descriptors) {
    must(isMediaType(mediaType), 'mediaType is one')
    must(isDigest(digest), 'digest is one')
    must(Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0), 'size is a whole number')
    must(
      (urls ?? []).every((url) => typeof url === 'string'),
      'urls are strings',
    )
    must(areStrings(annotations ?? {}), 'annotations are strings')
    must(data === undefined || Buffer.from(data, 'base64').byteLength === size, 'data has the size')
    must(artifactType === undefined || isMediaType(artifactType), 'artifactType is a media type')
    must(
      platform === undefined || typeof platform.architecture + typeof platform.os === 'stringstring',
      'platform is one',
    )
  }
}

const areStrings = (map: object): boolean =>
  Object.entries(map).every(([key, value]) => typeof value === 'string' && key.isWellFormed() && value.isWellFormed())

const check = (bytes: Uint8Array, contentType: string | undefined): Result<Manifest> => {
  const result = safeParseManifest(bytes, contentType)
  if (!result.ok) {
    must(result.problems.length > 0, 'a refusal has reasons')
    for (const { path, message } of result.problems)
      must(typeof path === 'string' && message !== '', 'a reason says something')
    return result
  }
  const manifest = result.value
  const { kind, mediaType, subject, annotations } = manifest
  must((kind === 'image') === isImageManifestMediaType(mediaType), 'images are images')
  must((kind === 'index') === isIndexMediaType(mediaType), 'indexes are indexes')
  const named = manifestMediaTypes.find((type) => type === contentType)
  must(named === undefined || mediaType === named, 'the Content-Type holds')
  keepsItsWord(manifestReferences(manifest).map((reference) => reference.descriptor))
  if (subject !== undefined) keepsItsWord([subject])
  must(areStrings(annotations ?? {}), 'annotations are strings')
  const artifactType = effectiveArtifactType(manifest)
  must(artifactType === undefined || isMediaType(artifactType), 'the artifact type is a media type')
  const { kind: _, ...body } = manifest
  const again = encode(JSON.stringify(kind === 'artifact' ? body : { schemaVersion: 2, ...body }))
  must(
    isDeepStrictEqual(parseManifest(again, mediaType), manifest),
    'what came out, written down again, is the same manifest',
  )
  return result
}

test('20,000 damaged manifests are refused with reasons, or keep their promises', { timeout: 120_000 }, () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
  const next = random(seed)
  const seen = { accepted: 0, refused: 0 }
  for (let round = 0; round < 20_000; round++) {
    const text = write(sound[round % sound.length], next, 0.03)
    const bytes = next() < 0.15 ? tear(text, next) : encode(text)
    const contentType = contentTypes[Math.floor(next() * contentTypes.length)]
    try {
      seen[check(bytes, contentType).ok ? 'accepted' : 'refused']++
    } catch (error) {
      throw new Error(`With FUZZ_SEED=${seed}, Content-Type ${contentType}: ${new TextDecoder().decode(bytes)}`, {
        cause: error,
      })
    }
  }
  // Neither may be rare, or the other promise was not tried.
  expect(seen.accepted).toBeGreaterThan(2000)
  expect(seen.refused).toBeGreaterThan(2000)
})

test('no bytes make parseManifest throw anything but ParseError', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json({ maxDepth: 3 }).map(encode),
    fc.string({ unit: 'binary' }).map(encode),
  )
  fc.assert(
    fc.property(texts, fc.option(fc.string(), { nil: undefined }), (bytes, contentType) => {
      try {
        parseManifest(bytes, contentType)
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError)
      }
    }),
    { numRuns: 1500 },
  )
})

test('damage of one kind is always refused: a key twice', () => {
  fc.assert(
    fc.property(fc.constantFrom(...sound), fc.nat(), (value, which) => {
      const text = JSON.stringify(value)
      // Before any member, the same member again: its end is found by trying.
      const starts = [...text.matchAll(/(?<=[{,])"[^"]*":/g)]
      const start = starts[which % starts.length]
      if (start === undefined) return
      const doubled = `${text.slice(0, start.index)}${start[0]}null,${text.slice(start.index)}`
      const result = safeParseManifest(encode(doubled))
      expect(result.ok).toBe(false)
      if (!result.ok)
        expect(result.problems.some(({ message }) => message.startsWith('appears more than once'))).toBe(true)
    }),
    { numRuns: 500 },
  )
})
