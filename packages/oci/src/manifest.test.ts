import { describe, expect, test } from 'vitest'
import type { Descriptor } from './descriptor.ts'
import { parseDigest } from './digest.ts'
import {
  type Manifest,
  parseManifest,
  parseManifestValue,
  safeParseManifest,
  safeParseManifestValue,
} from './manifest.ts'
import { manifestMediaTypes, mediaTypes } from './media-types.ts'
import { ParseError } from './result.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const config: Descriptor = { mediaType: mediaTypes.ociImageConfig, digest, size: 7 }
const layer: Descriptor = { mediaType: mediaTypes.ociLayerGzip, digest, size: 9 }
const child: Descriptor = { mediaType: mediaTypes.ociImageManifest, digest, size: 11 }
const image = { schemaVersion: 2, mediaType: mediaTypes.ociImageManifest, config, layers: [layer] }
const index = { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests: [child] }
const artifact = { mediaType: mediaTypes.ociArtifactManifest, artifactType: 'a/b', blobs: [layer] }

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

/** Problems by path of a text or a value, parsed from bytes. */
const problemsOf = (value: unknown, contentType?: string): Record<string, string> => {
  const result = safeParseManifest(bytes(value), contentType)
  return result.ok ? {} : Object.fromEntries(result.problems.map(({ path, message }) => [path, message]))
}

describe('manifests of every kind', () => {
  const docker = { ...image, mediaType: mediaTypes.dockerManifest }
  const dockerList = { ...index, mediaType: mediaTypes.dockerManifestList }
  const subject = child
  const annotations = { a: 'b' }
  test.each<[string, unknown, Manifest]>([
    ['image', image, { kind: 'image', mediaType: mediaTypes.ociImageManifest, config, layers: [layer] }],
    ['index', index, { kind: 'index', mediaType: mediaTypes.ociImageIndex, manifests: [child] }],
    [
      'artifact',
      artifact,
      { kind: 'artifact', mediaType: mediaTypes.ociArtifactManifest, artifactType: 'a/b', blobs: [layer] },
    ],
    ['Docker manifest', docker, { kind: 'image', mediaType: mediaTypes.dockerManifest, config, layers: [layer] }],
    ['Docker list', dockerList, { kind: 'index', mediaType: mediaTypes.dockerManifestList, manifests: [child] }],
    [
      'image without layers',
      { ...image, layers: [] },
      { kind: 'image', mediaType: mediaTypes.ociImageManifest, config, layers: [] },
    ],
    [
      'index without manifests',
      { ...index, manifests: [] },
      { kind: 'index', mediaType: mediaTypes.ociImageIndex, manifests: [] },
    ],
    [
      'artifact without blobs',
      { mediaType: mediaTypes.ociArtifactManifest },
      { kind: 'artifact', mediaType: mediaTypes.ociArtifactManifest, blobs: [] },
    ],
    [
      'image with everything',
      { ...image, artifactType: 'a/b', subject, annotations },
      {
        kind: 'image',
        mediaType: mediaTypes.ociImageManifest,
        artifactType: 'a/b',
        subject,
        annotations,
        config,
        layers: [layer],
      },
    ],
    [
      'index with everything',
      { ...index, artifactType: 'a/b', subject, annotations },
      {
        kind: 'index',
        mediaType: mediaTypes.ociImageIndex,
        artifactType: 'a/b',
        subject,
        annotations,
        manifests: [child],
      },
    ],
  ])('%s', (_name, value, manifest) => {
    expect(parseManifest(bytes(value))).toEqual(manifest)
    expect(parseManifest(bytes(value), manifest.mediaType)).toEqual(manifest)
    expect(parseManifestValue(value)).toEqual(manifest)
    expect(parseManifestValue(value, manifest.mediaType)).toEqual(manifest)
  })

  test('as Go writes nothing: null', () => {
    const nothing = { artifactType: null, subject: null, annotations: null, mediaType: '' }
    expect(parseManifest(bytes({ ...image, ...nothing, layers: null }))).toEqual({
      kind: 'image',
      mediaType: mediaTypes.ociImageManifest,
      config,
      layers: [],
    })
    expect(parseManifest(bytes({ schemaVersion: 2, manifests: null }))).toMatchObject({ kind: 'index', manifests: [] })
    expect(parseManifest(bytes({ ...image, manifests: null }))).toMatchObject({ kind: 'image' })
    expect(parseManifest(bytes({ ...artifact, blobs: null }))).toMatchObject({ kind: 'artifact', blobs: [] })
  })

  test('with the empty descriptor for config and layer, as artifacts have it', () => {
    const empty = {
      mediaType: mediaTypes.ociEmpty,
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
      data: 'e30=',
    }
    const manifest = parseManifest(
      bytes({ ...image, artifactType: 'application/vnd.example', config: empty, layers: [empty] }),
    )
    expect(manifest).toMatchObject({ config: empty, layers: [empty] })
  })

  test('with members nobody knows', () => {
    const value = {
      ...image,
      'org.example': { deep: [1.5, { x: null }] },
      config: { ...config, custom: '1' },
      size: 1.5,
    }
    expect(parseManifest(bytes(value))).toEqual(parseManifest(bytes(image)))
  })

  test('with 390 annotations of 10,000 characters', () => {
    const many = Object.fromEntries(Array.from({ length: 390 }, (_, at) => [`k${at}`, 'x'.repeat(10_000)]))
    expect(parseManifest(bytes({ ...image, annotations: many }))).toMatchObject({ annotations: many })
  })
})

describe('the media type', () => {
  test.each([
    undefined,
    '',
    'application/json',
    'application/json; charset=utf-8',
    'TEXT/PLAIN;charset=UTF-8',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ])('is that of the manifest when the Content-Type is %j', (contentType) => {
    for (const value of [image, index, artifact, { ...image, mediaType: mediaTypes.dockerManifest }]) {
      expect(parseManifest(bytes(value), contentType).mediaType).toBe(value.mediaType)
    }
  })

  test.each([
    [mediaTypes.ociImageManifest, image],
    [mediaTypes.dockerManifest, image],
    [mediaTypes.ociImageIndex, index],
    [mediaTypes.dockerManifestList, index],
    [mediaTypes.ociArtifactManifest, artifact],
  ])('is the Content-Type when the manifest has none: %s', (contentType, value) => {
    const { mediaType: _, ...bare } = value
    expect(parseManifest(bytes(bare), contentType).mediaType).toBe(contentType)
    expect(parseManifest(bytes(bare), `${contentType.toUpperCase()} ; charset=utf-8`).mediaType).toBe(contentType)
  })

  test('is told by the members when nothing else tells it', () => {
    const { mediaType: _, ...bareImage } = image
    const { mediaType: __, ...bareIndex } = index
    expect(parseManifest(bytes(bareImage)).mediaType).toBe(mediaTypes.ociImageManifest)
    expect(parseManifest(bytes(bareIndex), 'application/json').mediaType).toBe(mediaTypes.ociImageIndex)
    expect(parseManifest(bytes({ ...bareIndex, layers: null })).mediaType).toBe(mediaTypes.ociImageIndex)
    expect(problemsOf({ schemaVersion: 2 })['mediaType']).toMatch('neither the Content-Type nor the members tell')
    expect(problemsOf({ blobs: [] })['mediaType']).toMatch('neither the Content-Type nor the members tell')
  })

  test('may not be one in the Content-Type and another in the manifest', () => {
    const values = {
      [mediaTypes.ociImageManifest]: image,
      [mediaTypes.ociImageIndex]: index,
      [mediaTypes.ociArtifactManifest]: artifact,
    }
    for (const [own, value] of Object.entries(values)) {
      for (const contentType of manifestMediaTypes) {
        if (contentType === own) continue
        expect(problemsOf(value, contentType)['mediaType']).toBe(
          `is "${own}", but the Content-Type is "${contentType}": they must be the same`,
        )
      }
    }
    expect(problemsOf({ ...image, mediaType: 'application/json' }, mediaTypes.ociImageManifest)['mediaType']).toMatch(
      'must be the same',
    )
    expect(
      problemsOf({ ...image, mediaType: image.mediaType.toUpperCase() }, mediaTypes.ociImageManifest)['mediaType'],
    ).toMatch('must be the same')
  })

  test.each([
    ['application/vnd.docker.distribution.manifest.v1+json'],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws'],
    [mediaTypes.ociImageConfig],
    ['text/html'],
    ['nonsense'],
  ])('is not %s, and the message names those it can be', (mediaType) => {
    for (const message of [problemsOf(image, mediaType)[''], problemsOf({ ...image, mediaType })['mediaType']]) {
      expect(message).toMatch(mediaType)
      for (const supported of manifestMediaTypes) expect(message).toContain(supported)
    }
  })

  test("of Docker's schema 1 is named as such", () => {
    const schema1 = { schemaVersion: 1, name: 'a', tag: 'b', fsLayers: [], history: [], signatures: [] }
    expect(problemsOf(schema1)['schemaVersion']).toMatch("is Docker's schema 1, which is not supported")
  })

  test.each([[5], [{}], [['a']], [true]])('is not %j', (mediaType) => {
    expect(problemsOf({ ...image, mediaType })['mediaType']).toMatch('must be a string')
  })
})

describe('one document with two meanings', () => {
  test.each([
    ['an index with layers', { ...index, layers: [layer] }, 'layers'],
    ['an index with a config', { ...index, config }, 'config'],
    ['an index with blobs', { ...index, blobs: [] }, 'blobs'],
    [
      'an index with the layers of an image and no manifests',
      { ...index, manifests: null, config, layers: [] },
      'config',
    ],
    ['an image with manifests', { ...image, manifests: [] }, 'manifests'],
    ['an artifact with layers', { ...artifact, layers: [] }, 'layers'],
    ['an artifact with manifests', { ...artifact, manifests: [child] }, 'manifests'],
    [
      'manifests beside layers, nothing telling the kind',
      { schemaVersion: 2, manifests: [child], config, layers: [layer] },
      'layers',
    ],
    ['members of another kind that make no sense', { ...image, manifests: 'x' }, 'manifests'],
  ])('%s', (_name, value, path) => {
    expect(problemsOf(value)[path]).toMatch('does not belong in')
    expect(safeParseManifestValue(value).ok).toBe(false)
  })

  test('members that differ from known ones in case', () => {
    expect(problemsOf({ ...image, Layers: [] })['Layers']).toMatch('is "layers" to readers that ignore case')
    expect(problemsOf({ ...image, layerſ: [] })['["layer\u017f"]']).toMatch('is "layers" to readers that ignore case')
    expect(problemsOf({ ...image, MEDIATYPE: 'x' })['MEDIATYPE']).toMatch('is "mediaType"')
  })

  test('duplicate keys', () => {
    const text = JSON.stringify(image)
    expect(Object.keys(problemsOf(`${text.slice(0, -1)},"layers":[]}`))).toEqual(['layers'])
    expect(Object.keys(problemsOf(`${text.slice(0, -1)},"layer\\u0073":[]}`))).toEqual(['layers'])
    expect(Object.keys(problemsOf(text.replace('"size":9', '"size":9,"size":10')))).toEqual(['layers[0].size'])
    expect(Object.keys(problemsOf(text.replace('"size":9', '"size":9,"x":{"y":[{"z":1,"z":1}]}')))).toEqual([
      'layers[0].x.y[0].z',
    ])
  })

  test('__proto__', () => {
    expect(Object.keys(problemsOf(JSON.stringify(image).replace('{', '{"__proto__":{"layers":[]},')))).toEqual([
      '__proto__',
    ])
  })
})

describe('bytes that are no manifest', () => {
  test.each([
    ['nothing', '', 'is empty'],
    ['a byte order mark', `\ufeff${JSON.stringify(image)}`, 'byte order mark'],
    ['bytes after the end', `${JSON.stringify(image)}x`, 'more text after the end'],
    ['two documents', JSON.stringify(image).repeat(2), 'more text after the end'],
    ['half a document', JSON.stringify(image).slice(0, -5), 'is not JSON'],
    ['no JSON', '{schemaVersion: 2}', 'is not JSON'],
    ['a comment', `// a\n${JSON.stringify(image)}`, 'is not JSON'],
    ['an array', '[]', 'must be an object, got an array'],
    ['null', 'null', 'must be an object, got null'],
    ['a string', '"a"', 'must be an object, got "a"'],
  ])('%s', (_name, text, message) => {
    expect(problemsOf(text)['']).toMatch(message)
  })

  test('UTF-16, and UTF-8 with a wrong byte', () => {
    expect(safeParseManifest(Buffer.from(JSON.stringify(image), 'utf16le')).ok).toBe(false)
    const wrong = bytes({ ...image, annotations: { a: 'X' } })
    wrong[wrong.indexOf(0x58)] = 0xff
    expect(safeParseManifest(wrong)).toEqual({ ok: false, problems: [{ path: '', message: 'is not UTF-8' }] })
    // The byte order mark of another encoding form, and an overlong slash.
    expect(safeParseManifest(new Uint8Array([0xff, 0xfe, 0x7b, 0x00])).ok).toBe(false)
    expect(safeParseManifest(new Uint8Array([0x22, 0xc0, 0xaf, 0x22])).ok).toBe(false)
  })

  test('nested deeper than 64 levels, which is seen before anything is parsed', () => {
    const nest = (levels: number): string =>
      JSON.stringify(image).replace('{', `{"x":${'['.repeat(levels)}${']'.repeat(levels)},`)
    expect(problemsOf(nest(63))).toEqual({})
    expect(Object.values(problemsOf(nest(64)))).toEqual(['is nested deeper than 64 levels'])
    expect(Object.values(problemsOf('[{"a":'.repeat(500_000)))).toEqual(['is nested deeper than 64 levels'])
  })

  test('something that is not bytes', () => {
    // @ts-expect-error: a caller without types
    expect(() => parseManifest(JSON.stringify(image))).toThrow('must be bytes, as a Uint8Array')
    expect(safeParseManifestValue(bytes(image)).ok).toBe(false)
  })
})

describe('sizes', () => {
  test.each([
    '9007199254740993',
    '9007199254740992',
    '1e3',
    '1.5',
    '1.0',
    '5.00000000000000000001',
    '-1',
    '-0',
    '"5"',
    '1e400',
    'null',
    'true',
    '[5]',
  ])('%s is none', (written) => {
    for (const [value, path] of [
      [image, 'layers[0].size'],
      [{ ...image, layers: [], subject: layer }, 'subject.size'],
      [{ ...artifact, blobs: [layer] }, 'blobs[0].size'],
      [{ ...index, manifests: [layer] }, 'manifests[0].size'],
    ] as const) {
      expect(Object.keys(problemsOf(JSON.stringify(value).replace('"size":9', `"size":${written}`)))).toEqual([path])
    }
  })

  test('the message shows the number as it was written', () => {
    expect(problemsOf(JSON.stringify(image).replace('"size":9', '"size":1e3'))['layers[0].size']).toBe(
      'must be a whole number from 0 to 9007199254740991, in digits, got 1e3',
    )
  })

  test('9007199254740991 is one', () => {
    expect(problemsOf(JSON.stringify(image).replace('"size":9', '"size":9007199254740991'))).toEqual({})
  })
})

describe('what must be there', () => {
  test.each([
    [{ ...image, schemaVersion: undefined }, 'schemaVersion', 'is missing'],
    [{ ...index, schemaVersion: undefined }, 'schemaVersion', 'is missing'],
    [{ ...image, schemaVersion: 1 }, 'schemaVersion', 'must be 2, got 1'],
    [{ ...image, schemaVersion: '2' }, 'schemaVersion', 'got "2"'],
    [{ ...image, config: undefined }, 'config', 'is missing'],
    [{ ...image, config: null }, 'config', 'is missing'],
    [{ ...image, config: [] }, 'config', 'must be a descriptor'],
    [{ ...image, layers: undefined }, 'layers', 'is missing: for no entries it must be []'],
    [{ ...image, layers: {} }, 'layers', 'must be an array of descriptors, got an object'],
    [{ ...image, layers: [null] }, 'layers[0]', 'must be a descriptor, an object, got null'],
    [{ ...index, manifests: undefined }, 'manifests', 'is missing: for no entries it must be []'],
    [{ ...index, manifests: 'a' }, 'manifests', 'must be an array'],
    [{ ...image, subject: 'sha256:abc' }, 'subject', 'must be a descriptor'],
    [{ ...image, artifactType: 'x' }, 'artifactType', 'must be a media type'],
    [{ ...image, annotations: ['a'] }, 'annotations', 'must be an object of strings'],
  ])('%#: %2$s', (value, path, message) => {
    expect(problemsOf(value)).toEqual({ [path]: expect.stringContaining(message) })
  })

  test('schemaVersion 2.0 is not 2 to every reader', () => {
    expect(Object.keys(problemsOf(JSON.stringify(image).replace(':2,', ':2.0,')))).toEqual(['schemaVersion'])
  })
})

test('every problem is told, with its path', () => {
  const value = {
    ...image,
    schemaVersion: 3,
    config: { ...config, digest: 'x' },
    layers: [{ ...layer, size: -1 }, layer, { ...layer, mediaType: '' }],
  }
  expect(Object.keys(problemsOf(value))).toEqual([
    'schemaVersion',
    'config.digest',
    'layers[0].size',
    'layers[2].mediaType',
  ])
  expect(() => parseManifest(bytes(value))).toThrow(ParseError)
  expect(() => parseManifest(bytes(value))).toThrow(/config\.digest: [^]*layers\[0\]\.size: /)
})

test('10,000 layers are the most, and a message stays short however many are wrong', () => {
  const layers = (count: number): Descriptor[] => Array.from({ length: count }, () => layer)
  expect(problemsOf({ ...image, layers: layers(10_000) })).toEqual({})
  expect(problemsOf({ ...image, layers: layers(10_001) })).toEqual({
    layers: 'has 10001 entries: at most 10000 are allowed',
  })
  const result = safeParseManifest(bytes({ ...image, layers: Array.from({ length: 10_000 }, () => 5) }))
  expect(result).toMatchObject({ ok: false })
  if (!result.ok) {
    expect(result.problems.length).toBe(1001)
    expect(result.problems.at(-1)?.message).toBe('has 9000 further problems, not listed')
  }
})

test('no message repeats a long input', () => {
  const long = 'x'.repeat(1_000_000)
  const value = {
    ...image,
    [long]: 1,
    mediaType: long,
    config: { ...config, digest: long },
    annotations: { [long]: 5 },
    artifactType: long,
  }
  const result = safeParseManifest(bytes(value))
  expect(result.ok).toBe(false)
  expect(JSON.stringify(result).length).toBeLessThan(5000)
})
