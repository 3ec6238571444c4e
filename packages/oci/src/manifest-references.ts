import type { Descriptor } from './descriptor.ts'
import type { Manifest } from './manifest.ts'

export type ManifestReferenceRole = 'config' | 'layer' | 'blob' | 'manifest'

export interface ManifestReference {
  readonly descriptor: Descriptor
  readonly role: ManifestReferenceRole
}

/** Everything a manifest consists of besides itself, in the order it is listed. Its subject is no part of it. */
export const manifestReferences = (manifest: Manifest): ManifestReference[] => {
  if (manifest.kind === 'index') return all(manifest.manifests, 'manifest')
  if (manifest.kind === 'artifact') return all(manifest.blobs, 'blob')
  return [{ descriptor: manifest.config, role: 'config' }, ...all(manifest.layers, 'layer')]
}

const all = (descriptors: readonly Descriptor[], role: ManifestReferenceRole): ManifestReference[] =>
  descriptors.map((descriptor) => ({ descriptor, role }))

/**
 * The artifact type that lists of referrers give a manifest: "set to the value of the `artifactType` in the image manifest or
 * index, if present. If the `artifactType` is empty or missing in the image manifest, the value of `artifactType` MUST be set
 * to the config descriptor `mediaType` value. If [it] is empty or missing in an index, the `artifactType` MUST be omitted."
 */
export const effectiveArtifactType = (manifest: Manifest): string | undefined =>
  manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
