import { createHash } from 'node:crypto'

export const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

export const indexType = 'application/vnd.oci.image.index.v1+json'
export const imageType = 'application/vnd.oci.image.manifest.v1+json'

export interface Document {
  readonly text: string
  readonly digest: string
  readonly type: string
}

/** A manifest that needs nothing else; two names never share content. */
export const index = (name: string): Document => {
  const text = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { name } })
  return { text, digest: sha256(text), type: indexType }
}

/** What a repository holds at the beginning of every request. */
export interface Content {
  /** Named by the tag `existing`; needs `config`. */
  readonly image: Document
  readonly config: string
  /** Named by the tag `victim`. */
  readonly victim: Document
  /** Without a tag. */
  readonly untagged: Document
  /** A blob that no manifest needs, and that no other repository has. */
  readonly loose: string
}

export const contentOf = (repository: string): Content => {
  const config = JSON.stringify({ of: repository })
  const descriptor = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: sha256(config),
    size: Buffer.byteLength(config),
  }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: imageType, config: descriptor, layers: [] })
  return {
    image: { text, digest: sha256(text), type: imageType },
    config,
    victim: index(`victim of ${repository}`),
    untagged: index(`untagged of ${repository}`),
    loose: `loose of ${repository}`,
  }
}
