import { ClientError } from '../../errors.ts'
import { isObject, parseJson } from '../../layout/layout-index.ts'
import { entryName } from './entry-name.ts'

/** An image in `manifest.json`, the table of contents of what `docker save` writes. Paths are as `entryName` makes them. */
export interface DockerImage {
  readonly config: string
  /** `repository:tag` */
  readonly tags: readonly string[]
  /** From the bottom up. */
  readonly layers: readonly string[]
}

export const dockerManifestFile = 'manifest.json'

/** Most bytes of a `manifest.json` that are read. */
export const maxDockerManifestSize = 16 * 1024 * 1024

/** Most images of an archive: for each its config is read. */
const maxImages = 10_000

/** @throws {ClientError} `invalid-content` naming the member */
export const parseDockerManifest = (bytes: Uint8Array, subject: string): readonly DockerImage[] => {
  const value = parseJson(bytes, `${dockerManifestFile} of ${subject}`)
  if (!Array.isArray(value)) throw invalid(subject, 'is not a list')
  if (value.length > maxImages) throw invalid(subject, `has more than ${maxImages} images`)
  return (value as unknown[]).map((item, at) => {
    if (!isObject(item)) throw invalid(subject, `has a wrong entry: [${at}] is not an object`)
    const strings = (key: string): readonly string[] => {
      const list = item[key] ?? []
      if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
      throw invalid(subject, `has a wrong entry: [${at}].${key} is not a list of strings`)
    }
    const path = (text: unknown, key: string): string => {
      const name = typeof text === 'string' ? entryName(text) : undefined
      if (name !== undefined && name !== '') return name
      throw invalid(subject, `has a wrong entry: [${at}].${key} is no path inside the archive`)
    }
    return {
      config: path(item['Config'], 'Config'),
      tags: strings('RepoTags'),
      layers: strings('Layers').map((layer, index) => path(layer, `Layers[${index}]`)),
    }
  })
}

export const formatDockerManifest = (images: readonly DockerImage[]): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify(
      images.map(({ config, tags, layers }) => ({
        Config: config,
        RepoTags: tags.length === 0 ? null : tags,
        Layers: layers,
      })),
    ),
  )

const invalid = (subject: string, problem: string): ClientError =>
  new ClientError('invalid-content', `${dockerManifestFile} of ${subject} ${problem}.`, { subject })
