import { type Descriptor, type Digest, type HashFactory, isManifestMediaType, safeParseManifest } from '@stowage/oci'
import { maxManifestSize, readAll, verified } from '../../content/verify.ts'
import { isClientError } from '../../errors.ts'
import { maxIndexSize, parseLayoutIndex } from '../../layout/layout-index.ts'
import { blobPath } from './archive-blobs.ts'
import type { ImageParts } from './docker-images.ts'
import type { Archive } from './open-archive.ts'

export interface StoredManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** Finds the manifest that an image was saved with. */
export type FindManifest = (image: ImageParts) => StoredManifest | undefined

/**
 * The image manifests in an archive that is also an image layout, as Docker writes them since version 25, and as we do: with
 * them an image keeps its digest on the way through the archive. `manifest.json` still decides what the images are; a
 * manifest counts only if it names the very same config and layers.
 */
export const readStoredManifests = async (
  archive: Archive,
  hash: HashFactory,
  subject: string,
): Promise<FindManifest> => {
  const found = new Map<string, StoredManifest>()
  try {
    const bytes = await archive.readSmall('index.json', maxIndexSize)
    const index = bytes === undefined ? [] : parseLayoutIndex(bytes, subject).entries
    const queue = index.map(({ descriptor }) => descriptor)
    const seen = new Set<Digest>()
    for (const descriptor of queue) {
      if (seen.has(descriptor.digest)) continue
      seen.add(descriptor.digest)
      const manifest = await readManifest(archive, descriptor, hash, subject)
      if (manifest === undefined) continue
      const parsed = safeParseManifest(manifest.bytes, descriptor.mediaType)
      if (!parsed.ok) continue
      if (parsed.value.kind === 'index') queue.push(...parsed.value.manifests)
      if (parsed.value.kind !== 'image') continue
      const { config, layers } = parsed.value
      const key = keyOf([config.digest, ...layers.map(({ digest }) => digest)])
      if (!found.has(key)) found.set(key, manifest)
    }
  } catch (error) {
    // A layout that is damaged takes nothing from the images: they get manifests made for them.
    if (!isClientError(error)) throw error
  }
  return ({ config, layers }) => found.get(keyOf([config.digest, ...layers.map(({ digest }) => digest)]))
}

const keyOf = (digests: readonly Digest[]): string => digests.join(' ')

const readManifest = async (
  archive: Archive,
  { mediaType, digest, size }: Descriptor,
  hash: HashFactory,
  subject: string,
): Promise<StoredManifest | undefined> => {
  const file = archive.find(blobPath(digest))
  if (file === undefined || size > maxManifestSize || !isManifestMediaType(mediaType)) return undefined
  const descriptor = { mediaType, digest, size }
  const bytes = await readAll(verified(archive.read(file), { descriptor, hash, subject }), maxManifestSize, subject)
  return { descriptor, bytes }
}
