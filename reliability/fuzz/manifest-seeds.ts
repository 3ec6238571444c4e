import type { Content } from '../image.ts'
import { artifactSeeds } from './manifest-artifacts.ts'
import { created, createParts, image, imageType, index, indexType, oci, platform } from './manifest-parts.ts'

/** A manifest as some tool of the field writes it. */
export interface ManifestSeed {
  readonly name: string
  readonly value: object
}

const dockerImage = 'application/vnd.docker.distribution.manifest.v2+json'
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json'
const artifactType = 'application/vnd.oci.artifact.manifest.v1+json'
const dockerLayer = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/**
 * More than a hundred of them, written by us after what the tools push: not their bytes, but their members, media types and shapes.
 *
 * @param contents Blobs that are in the repository: every seed can be accepted.
 */
export const manifestSeeds = (contents: readonly Content[]): readonly ManifestSeed[] => {
  const parts = createParts(contents)
  const { at, describe, layers } = parts
  const ociConfig = describe(`${oci}.config.v1+json`, 1)
  const subject = describe(imageType, 2)
  const attestation = describe(imageType, 5, {
    ...platform('unknown', 'unknown'),
    annotations: { 'vnd.docker.reference.digest': at(3).digest, 'vnd.docker.reference.type': 'attestation-manifest' },
  })
  const platforms = [
    platform('amd64', 'linux'),
    platform('arm64', 'linux', { variant: 'v8' }),
    platform('arm', 'linux', { variant: 'v7' }),
    platform('amd64', 'windows', { 'os.version': '10.0.20348.2322', 'os.features': ['win32k'] }),
    platform('', ''),
  ]

  const images: [string, object][] = ['tar', 'tar+gzip', 'tar+zstd', 'nondistributable.v1.tar+gzip'].flatMap((kind) =>
    [1, 3, 20].map((count): [string, object] => {
      const type = kind.startsWith('non') ? `${oci}.layer.${kind}` : `${oci}.layer.v1.${kind}`
      return [
        `image, ${count} ${kind}`,
        image(ociConfig, layers(type, count, kind.startsWith('non') ? { urls: ['https://layers.example/x'] } : {})),
      ]
    }),
  )
  const docker: [string, object][] = [1, 2, 8, 40].flatMap((count): [string, object][] => [
    [
      `Docker image, ${count}`,
      {
        ...image(describe('application/vnd.docker.container.image.v1+json', 1), layers(dockerLayer, count)),
        mediaType: dockerImage,
      },
    ],
    [
      `Docker plugin, ${count}`,
      {
        ...image(describe('application/vnd.docker.plugin.v1+json', 1), layers(dockerLayer, count)),
        mediaType: dockerImage,
      },
    ],
    [
      `Docker list, ${count}`,
      {
        ...index(Array.from({ length: count }, (_, one) => describe(dockerImage, one, platforms[one % 5]))),
        mediaType: dockerList,
      },
    ],
  ])
  const indexes: [string, object][] = [
    ['index, empty', index([])],
    ...[1, 2, 5, 30].map((count): [string, object] => [
      `index, ${count} platforms`,
      index(Array.from({ length: count }, (_, one) => describe(imageType, one, platforms[one % 5]))),
    ]),
    ['index of BuildKit with attestations', index([describe(imageType, 3, platforms[0]), attestation])],
    ['index of indexes', index([describe(indexType, 1), describe(indexType, 2, { artifactType: 'application/x' })])],
    ['index with a subject', index([describe(imageType, 1)], { subject, annotations: created })],
    ['index with an artifact type', index([], { artifactType: 'application/vnd.example.bundle', subject })],
    ['index without media type', { schemaVersion: 2, manifests: [describe(imageType, 1)] }],
    [
      'index of Homebrew',
      index(
        [
          describe(imageType, 2, {
            ...platform('arm64', 'darwin', { 'os.version': 'macOS 14' }),
            annotations: { 'sh.brew.bottle.digest': 'abc', 'sh.brew.tab': '{"homebrew_version":"4.2"}' },
          }),
        ],
        { annotations: { 'com.github.package.type': 'homebrew_bottle' } },
      ),
    ],
    [
      'BuildKit cache, old',
      index([
        ...layers(`${oci}.layer.v1.tar+gzip`, 4, {
          annotations: { 'buildkit/createdat': '2024', 'containerd.io/uncompressed': at(1).digest },
        }),
        describe('application/vnd.buildkit.cacheconfig.v0', 2),
      ]),
    ],
  ]
  const artifacts = artifactSeeds(parts)
  const released: [string, object][] = [
    [
      'artifact manifest',
      { mediaType: artifactType, artifactType: 'application/x', blobs: layers('text/plain', 2), subject },
    ],
    [
      'artifact manifest without blobs',
      { mediaType: artifactType, artifactType: 'application/x', annotations: created },
    ],
    ['artifact manifest, null', { mediaType: artifactType, artifactType: 'application/x', blobs: null }],
  ]
  const odd: [string, object][] = [
    ['no media type', { schemaVersion: 2, config: ociConfig, layers: layers(`${oci}.layer.v1.tar`, 1) }],
    ['layers null', image(ociConfig, null)],
    ['no layers', image(ociConfig, [])],
    ['one layer twice', image(ociConfig, [describe(`${oci}.layer.v1.tar`, 1), describe(`${oci}.layer.v1.tar`, 1)])],
    ['empty texts', image(ociConfig, [], { artifactType: '', annotations: { '': '' } })],
    ['nulls of Go', image(ociConfig, null, { artifactType: null, annotations: null, subject: null })],
    [
      'unknown members',
      image(ociConfig, [], { 'x-signature': { a: [1, 2, { b: null }] }, history: [], size: 3, name: 'a' }),
    ],
    [
      'stargz',
      image(
        ociConfig,
        layers(`${oci}.layer.v1.tar+gzip`, 3, {
          annotations: {
            'containerd.io/snapshot/stargz/toc.digest': at(2).digest,
            'io.containers.estargz.uncompressed-size': '3145728',
          },
        }),
      ),
    ],
    [
      'encrypted',
      image(
        ociConfig,
        layers(`${oci}.layer.v1.tar+gzip+encrypted`, 2, {
          annotations: { 'org.opencontainers.image.enc.keys.jwe': 'eyJ'.repeat(300) },
        }),
      ),
    ],
    ['long annotation', image(ociConfig, [], { annotations: { a: 'x'.repeat(100_000) } })],
    [
      'many annotations',
      image(ociConfig, [], {
        annotations: Object.fromEntries(Array.from({ length: 900 }, (_, one) => [`k${one}`, String(one)])),
      }),
    ],
    [
      'unicode',
      image(ociConfig, [], {
        annotations: { 層: '\u{1f433}', '\u0000': '\u2028', é: 'e\u0301', '"\\/': '\b\f\n\r\t' },
      }),
    ],
    ['half surrogates', image(ociConfig, [], { annotations: { a: '\ud800', '\udc00': 'b' } })],
    ['nested', image(ociConfig, [], { x: nested(55) })],
    ['large numbers', image(ociConfig, [], { x: { big: 1e300, small: -1e-300, zero: -0, whole: 2 ** 53 } })],
    ['largest size', index([{ mediaType: imageType, digest: at(1).digest, size: Number.MAX_SAFE_INTEGER }])],
    [
      'other algorithms',
      index([
        { mediaType: imageType, digest: `sha512:${'0'.repeat(128)}`, size: 1 },
        { mediaType: imageType, digest: `sha384:${'0'.repeat(96)}`, size: 1 },
      ]),
    ],
    [
      'names of objects',
      image(ociConfig, [], { constructor: 1, toString: {}, annotations: { constructor: 'a', hasOwnProperty: 'b' } }),
    ],
    ['many layers', image(ociConfig, layers(`${oci}.layer.v1.tar`, 400))],
    ['many manifests', index(Array.from({ length: 400 }, (_, one) => describe(imageType, one)))],
  ]
  // The same with another subject, and as clients write it that say their type in the header alone.
  const all = [...images, ...docker, ...indexes, ...artifacts, ...released, ...odd]
  const untyped = artifacts.map(([name, value]): [string, object] => [
    `${name}, typed by the header alone`,
    Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'mediaType')),
  ])
  return [...all, ...untyped].map(([name, value]) => ({ name, value }))
}

const nested = (depth: number): unknown =>
  depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) }
