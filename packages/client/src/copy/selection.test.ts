import { type Descriptor, digestOf, type Index, mediaTypes, parseManifest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { defaultHash } from '../hash.ts'
import { parsePlatform } from '../platform.ts'
import { rewriteIndex, selectChildren } from './selection.ts'

const child = (
  platform: string | undefined,
  more: Partial<Descriptor> = {},
  name = platform ?? 'none',
): Descriptor => ({
  mediaType: mediaTypes.ociImageManifest,
  digest: digestOf(new TextEncoder().encode(name), defaultHash),
  size: 100,
  ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
  ...more,
})

const amd64 = child('linux/amd64')
const arm64 = child('linux/arm64/v8')
const about = (subject: Descriptor, name: string): Descriptor =>
  child(
    undefined,
    {
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': subject.digest,
      },
    },
    name,
  )
const aboutAmd64 = about(amd64, 'about amd64')
const aboutArm64 = about(arm64, 'about arm64')
const children = [amd64, arm64, aboutAmd64, aboutArm64]

const indexOf = (manifests: readonly Descriptor[], more: object = {}): { bytes: Uint8Array; index: Index } => {
  const value = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests, ...more }
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  return { bytes, index: parseManifest(bytes) as Index }
}
const select = (platforms: readonly string[], manifests: readonly Descriptor[] = children): string[] =>
  selectChildren(indexOf(manifests).index, platforms.map(parsePlatform), 'a.example/b').map(({ digest }) => digest)

describe('the children for some platforms', () => {
  it('are those of each platform, in the order of the index, with what is about them', () => {
    expect(select(['linux/arm64'])).toEqual([arm64.digest, aboutArm64.digest])
    expect(select(['linux/arm64', 'linux/amd64'])).toEqual(children.map(({ digest }) => digest))
    expect(select(['linux/amd64', 'linux/amd64'])).toEqual([amd64.digest, aboutAmd64.digest])
  })

  it('are an error where one platform has none, which names those there are', () => {
    const missing = () => select(['linux/amd64', 'linux/s390x'])
    expect(missing).toThrow(/nothing for linux\/s390x/)
    expect(missing).toThrow(
      expect.objectContaining({ code: 'not-found', hint: expect.stringContaining('linux/arm64/v8') }),
    )
    expect(() => select(['linux/amd64'], [child(undefined)])).toThrow(
      expect.objectContaining({ hint: 'There is no child with a platform.' }),
    )
    expect(() => select(['linux/amd64'], [])).toThrow(expect.objectContaining({ code: 'not-found' }))
  })
})

describe('an index with some of its children', () => {
  it('has its digest of what it is now, and all that it had besides', () => {
    const more = { annotations: { a: 'b' }, 'com.example.unknown': { deep: [1] } }
    const { bytes } = indexOf(children, more)
    const descriptor = {
      mediaType: mediaTypes.ociImageIndex,
      digest: digestOf(bytes, defaultHash),
      size: bytes.byteLength,
    }
    const rewritten = rewriteIndex(bytes, descriptor, [arm64], defaultHash)
    expect(JSON.parse(new TextDecoder().decode(rewritten.bytes))).toEqual({
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageIndex,
      manifests: JSON.parse(JSON.stringify([arm64])) as unknown,
      ...more,
    })
    expect(rewritten.descriptor).toEqual({
      mediaType: mediaTypes.ociImageIndex,
      digest: digestOf(rewritten.bytes, defaultHash),
      size: rewritten.bytes.byteLength,
    })
  })

  it('keeps the algorithm of its digest', () => {
    const { bytes } = indexOf(children)
    const descriptor = { mediaType: mediaTypes.ociImageIndex, digest: digestOf(bytes, defaultHash, 'sha512'), size: 1 }
    expect(rewriteIndex(bytes, descriptor, [arm64], defaultHash).descriptor.digest).toMatch(/^sha512:/)
  })
})
