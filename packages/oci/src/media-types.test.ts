import { describe, expect, test } from 'vitest'
import {
  isImageManifestMediaType,
  isIndexMediaType,
  isManifestMediaType,
  isMediaType,
  isNonDistributableLayer,
  manifestMediaTypes,
  mediaTypes,
  mediaTypeWithoutParameters,
} from './media-types.ts'

describe('kinds of manifests', () => {
  test.each([
    [mediaTypes.ociImageManifest, 'image'],
    [mediaTypes.dockerManifest, 'image'],
    [mediaTypes.ociImageIndex, 'index'],
    [mediaTypes.dockerManifestList, 'index'],
    [mediaTypes.ociArtifactManifest, 'artifact'],
    [mediaTypes.ociImageConfig, 'none'],
    ['application/vnd.docker.distribution.manifest.v1+json', 'none'],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'none'],
    ['application/json', 'none'],
    ['', 'none'],
  ])('%s: %s', (mediaType, kind) => {
    expect(isManifestMediaType(mediaType)).toBe(kind !== 'none')
    expect(isImageManifestMediaType(mediaType)).toBe(kind === 'image')
    expect(isIndexMediaType(mediaType)).toBe(kind === 'index')
  })

  test('are all listed', () => {
    expect(manifestMediaTypes.every(isManifestMediaType)).toBe(true)
    expect(new Set(manifestMediaTypes)).toEqual(new Set(Object.values(mediaTypes).filter(isManifestMediaType)))
  })
})

test('layers that a registry need not hold are those five, and none that only look alike', () => {
  expect(Object.values(mediaTypes).filter(isNonDistributableLayer).toSorted()).toEqual([
    'application/vnd.docker.image.rootfs.foreign.diff.tar',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ])
  expect(isNonDistributableLayer(`${mediaTypes.ociLayerNonDistributable}+other`)).toBe(false)
  expect(isNonDistributableLayer(mediaTypes.ociLayer)).toBe(false)
})

// As in the JSON schema of image-spec v1.1.1 for descriptors.
const oracle = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/

test.each([
  ...Object.values(mediaTypes),
  'a/b',
  'application/vnd.sylabs.sif.config.v1+json',
  `${'a'.repeat(127)}/${'b'.repeat(127)}`,
  `${'a'.repeat(128)}/b`,
  `a/${'b'.repeat(128)}`,
  'application',
  'application/',
  '/json',
  '',
  'a/b/c',
  'text/plain; charset=utf-8',
  ' text/plain',
  'text/plain\n',
  '.a/b',
  'a/+b',
  'a/b*',
  'é/b',
  'x/\u0100',
  '*/*',
])('%j is a media type where RFC 6838 says so', (text) => {
  expect(isMediaType(text)).toBe(oracle.test(text))
})

test('every character is a media type where RFC 6838 says so', () => {
  for (let code = 0; code < 0x180; code++) {
    const character = String.fromCharCode(code)
    for (const text of [`${character}a/b`, `a${character}/b`, `a/${character}b`, `a/b${character}`]) {
      expect([text, isMediaType(text)]).toEqual([text, oracle.test(text)])
    }
  }
})

test.each([
  ['application/json', 'application/json'],
  ['Application/JSON', 'application/json'],
  [' application/json ; charset=utf-8', 'application/json'],
  ['application/json;', 'application/json'],
  [';', ''],
  ['', ''],
])('%j without parameters is %j', (text, mediaType) => {
  expect(mediaTypeWithoutParameters(text)).toBe(mediaType)
})
