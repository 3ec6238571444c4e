import { createHash } from 'node:crypto'
import { type Content, contentOf, imageType } from '../image.ts'

/** A manifest of the pool, with what the model has to know of it. */
export interface PoolManifest extends Content {
  readonly mediaType: string
  /** Digests of config, layers and blobs: they must be in the repository. */
  readonly blobs: readonly string[]
  /** Digests of manifests that an index lists: they need not be there. */
  readonly children: readonly string[]
  readonly subject?: string
  /** As lists of referrers show it. */
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Pool {
  readonly blobs: readonly Content[]
  readonly manifests: readonly PoolManifest[]
}

export const repositories = ['a', 'a/b', 'c/d-e__f'] as const
export const tags = ['latest', 'A', '_x', 'v1.0'] as const
/** Uploads that may be under way at once. */
export const uploadSlots = 3

const indexType = 'application/vnd.oci.image.index.v1+json'
const dockerType = 'application/vnd.docker.distribution.manifest.v2+json'
const artifactType = 'application/vnd.oci.artifact.manifest.v1+json'

const with512 = ({ bytes }: Content): Content => ({
  bytes,
  digest: `sha512:${createHash('sha512').update(bytes).digest('hex')}`,
})

const text = (words: string): Content => contentOf(Buffer.from(words))

const describe = (mediaType: string, { digest, bytes }: Content): object => ({
  mediaType,
  digest,
  size: bytes.byteLength,
})

/**
 * What all sequences are about: little, so that operations meet.
 *
 * @param heavy With referrers of megabytes, of which no page holds many. They cost as much as a hundred other operations.
 */
export const createPool = (heavy: boolean): Pool => {
  // Nothing, one byte, and more than a file is read in one piece.
  const blobs = [text(''), text('x'), text('{}'), text('layer '.repeat(30)), text('large '.repeat(40_000))]
  const [nothing, config, empty, layer, large] = blobs as [Content, Content, Content, Content, Content]
  const make = (
    mediaType: string,
    value: object,
    more: Partial<PoolManifest> & Pick<PoolManifest, 'blobs' | 'children'>,
  ): PoolManifest => {
    const { subject, artifactType: type, annotations } = more
    const said = {
      ...(annotations && { annotations }),
      ...(subject !== undefined && { subject: describe(imageType, { digest: subject, bytes: Buffer.alloc(7) }) }),
    }
    const own = mediaType === imageType ? {} : type === undefined ? {} : { artifactType: type }
    return { ...text(JSON.stringify({ schemaVersion: 2, mediaType, ...value, ...own, ...said })), mediaType, ...more }
  }
  const image = (mediaType: string, parts: readonly Content[], more: Partial<PoolManifest> = {}): PoolManifest => {
    const [first = empty, ...layers] = parts
    const configType = 'application/vnd.oci.image.config.v1+json'
    const value = {
      config: describe(configType, first),
      layers: layers.map((one) => describe('application/octet-stream', one)),
    }
    return make(mediaType, value, {
      artifactType: configType,
      ...more,
      blobs: parts.map(({ digest }) => digest),
      children: [],
    })
  }
  const index = (children: readonly Content[], more: Partial<PoolManifest> = {}): PoolManifest =>
    make(
      indexType,
      { manifests: children.map((child) => describe(imageType, child)) },
      { ...more, blobs: [], children: children.map(({ digest }) => digest) },
    )

  const small = image(imageType, [config, layer])
  const full = image(imageType, [empty, layer, large, nothing, layer])
  const docker = image(dockerType, [config, large])
  const both = index([small, docker])
  const absent = index([text('a manifest that nobody pushes')])
  const signature = image(imageType, [empty, nothing], { subject: small.digest, annotations: { b: 'é', a: '' } })
  const ofBoth = index([], { subject: both.digest, artifactType: 'application/vnd.example+type' })
  const ofSmall = make(
    artifactType,
    { blobs: [describe('text/plain', config)] },
    {
      subject: small.digest,
      artifactType: 'application/vnd.example+type',
      blobs: [config.digest],
      children: [],
    },
  )
  const weights = ['one', 'two', 'three', 'four'].map((note) =>
    index([], {
      subject: small.digest,
      artifactType: 'application/heavy',
      annotations: { note, weight: 'x'.repeat(1_500_000) },
    }),
  )
  return {
    // A blob that is also a manifest which an index lists; and one with another digest of the same bytes.
    blobs: [...blobs, { digest: small.digest, bytes: small.bytes }, with512(layer)],
    manifests: [small, full, docker, both, absent, signature, ofBoth, ofSmall, ...(heavy ? weights : [])],
  }
}
