import { type Descriptor, type Digest, effectiveArtifactType, type Manifest } from '@stowage/oci'

/** What a layout has to know of a manifest. Its bytes never change, so neither does this. */
export interface ManifestFacts {
  readonly subject: Digest | undefined
  /** As lists of referrers show it: with its artifact type and annotations. */
  readonly descriptor: Descriptor
  /** What an index lists. */
  readonly manifests: readonly Descriptor[]
}

export const factsOf = (manifest: Manifest, { digest, size }: Descriptor): ManifestFacts => {
  const artifactType = effectiveArtifactType(manifest)
  const { mediaType, annotations } = manifest
  return {
    subject: manifest.subject?.digest,
    descriptor: {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    manifests: manifest.kind === 'index' ? manifest.manifests : [],
  }
}
