import { type Content, contentOf, imageOf, imageType } from '../image.ts'
import { createRandom } from '../random.ts'

/** What the requests of the fuzz are about: what is really there, so that most of them get beyond the first check. */
export interface World {
  /** Repositories that are there. Few: endless names would make lists long, not the fuzz better. */
  readonly names: readonly string[]
  readonly blobs: readonly Content[]
  readonly manifests: readonly FuzzManifest[]
  readonly tags: readonly string[]
  /** Paths of uploads that were begun a moment ago. */
  readonly uploads: readonly string[]
  /** Values of `Authorization` that are good; none where nobody has to log in. */
  readonly credentials: readonly string[]
  /** Name and password of somebody who may log in. */
  readonly account: { readonly name: string; readonly password: string } | undefined
}

export interface FuzzManifest extends Content {
  readonly mediaType: string
}

export const maxManifestSize = 10_000
export const maxBlobSize = 16 * 1024 * 1024

const indexType = 'application/vnd.oci.image.index.v1+json'

/** Content that is pushed again and again, so that what the noise removes comes back. */
export const createWorldContent = (): Pick<World, 'names' | 'blobs' | 'manifests' | 'tags'> => {
  const random = createRandom(1)
  const layers = [0, 1, 7, 100, 1000, 3000, 60_000].map((size) => contentOf(random.bytes(size)))
  const images = ['one', 'two'].map((name, at) => imageOf(name, layers.slice(at, at + 3)))
  const manifests = images.map(({ manifest }): FuzzManifest => ({ ...manifest, mediaType: imageType }))
  const described = manifests.map(({ digest, bytes, mediaType }) => ({ mediaType, digest, size: bytes.byteLength }))
  const index = (more: object): FuzzManifest => {
    const value = { schemaVersion: 2, mediaType: indexType, manifests: described, ...more }
    return { ...contentOf(Buffer.from(JSON.stringify(value))), mediaType: indexType }
  }
  return {
    names: ['a/b', 'fuzz/one', 'fuzz/two', 'x'],
    blobs: [...layers, ...images.map(({ config }) => config)],
    manifests: [
      ...manifests,
      index({}),
      index({ artifactType: 'application/vnd.example+json', subject: described[0], annotations: { a: 'b' } }),
      index({ manifests: [], subject: described[1] }),
    ],
    tags: ['latest', 'v1.0', 'X_y-z.0'],
  }
}
