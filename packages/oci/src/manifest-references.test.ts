import { expect, test } from 'vitest'
import type { Descriptor } from './descriptor.ts'
import { parseDigest } from './digest.ts'
import { parseManifestValue } from './manifest.ts'
import { effectiveArtifactType, manifestReferences } from './manifest-references.ts'
import { mediaTypes } from './media-types.ts'

const of = (hex: string): Descriptor => ({
  mediaType: `a/${hex}`,
  digest: parseDigest(`sha256:${hex.repeat(64)}`),
  size: 1,
})
const subject = of('f')
const image = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociImageManifest,
  subject,
  config: of('1'),
  layers: [of('2'), of('3'), of('2')],
}
const index = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, subject, manifests: [of('4')] }
const artifact = { mediaType: mediaTypes.ociArtifactManifest, subject, blobs: [of('5')] }

test('a manifest references its parts in order, and not its subject', () => {
  expect(manifestReferences(parseManifestValue(image))).toEqual([
    { descriptor: of('1'), role: 'config' },
    { descriptor: of('2'), role: 'layer' },
    { descriptor: of('3'), role: 'layer' },
    { descriptor: of('2'), role: 'layer' },
  ])
  expect(manifestReferences(parseManifestValue(index))).toEqual([{ descriptor: of('4'), role: 'manifest' }])
  expect(manifestReferences(parseManifestValue(artifact))).toEqual([{ descriptor: of('5'), role: 'blob' }])
})

test.each([
  ['of an image', { ...image, artifactType: 'x/y' }, 'x/y'],
  ['of an image without one is the type of its config', image, 'a/1'],
  ['of an image with an empty one is the type of its config', { ...image, artifactType: '' }, 'a/1'],
  ['of an index', { ...index, artifactType: 'x/y' }, 'x/y'],
  ['of an index without one is none', index, undefined],
  ['of an artifact', { ...artifact, artifactType: 'x/y' }, 'x/y'],
  ['of an artifact without one is none', artifact, undefined],
])('the artifact type %s', (_name, value, expected) => {
  expect(effectiveArtifactType(parseManifestValue(value))).toBe(expected)
})
