import type { Content } from '../image.ts'

export const oci = 'application/vnd.oci.image'
export const imageType = `${oci}.manifest.v1+json`
export const indexType = `${oci}.index.v1+json`
const empty = 'application/vnd.oci.empty.v1+json'

/** What manifests are made of. Descriptors name their content by its place in a list. */
export interface ManifestParts {
  readonly at: (index: number) => Content
  readonly describe: (mediaType: string, index: number, more?: object) => object
  /** Descriptor of the two bytes `{}`, with its data. */
  readonly emptyConfig: object
  readonly layers: (mediaType: string, count: number, more?: object) => object[]
}

/** @param contents The first of them is `{}`. */
export const createParts = (contents: readonly Content[]): ManifestParts => {
  const at = (index: number): Content => {
    const content = contents[index % contents.length]
    if (content === undefined) throw new Error('There are no contents.')
    return content
  }
  const describe = (mediaType: string, index: number, more: object = {}): object => {
    const { digest, bytes } = at(index)
    return { mediaType, digest, size: bytes.byteLength, ...more }
  }
  const emptyConfig = {
    mediaType: empty,
    digest: at(0).digest,
    size: at(0).bytes.byteLength,
    data: at(0).bytes.toString('base64'),
  }
  const layers = (mediaType: string, count: number, more: object = {}): object[] =>
    Array.from({ length: count }, (_, index) => describe(mediaType, index + 1, more))
  return { at, describe, emptyConfig, layers }
}

export const image = (config: object, list: readonly object[] | null, more: object = {}): object => ({
  schemaVersion: 2,
  mediaType: imageType,
  config,
  layers: list,
  ...more,
})
export const index = (manifests: readonly object[], more: object = {}): object => ({
  schemaVersion: 2,
  mediaType: indexType,
  manifests,
  ...more,
})
export const created = { 'org.opencontainers.image.created': '2024-02-29T12:00:00Z' }

export const titled = (title: string): object => ({ annotations: { 'org.opencontainers.image.title': title } })

export const platform = (architecture: string, os: string, more: object = {}): object => ({
  platform: { architecture, os, ...more },
})
