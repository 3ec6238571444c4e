import type { Readable } from 'node:stream'
import {
  type Descriptor,
  type Digest,
  effectiveArtifactType,
  type Manifest,
  manifestReferences,
  mediaTypes,
  type Platform,
} from '@stowage/oci'
import type { ManifestFacts } from '../metadata/metadata-store.ts'

/** A config larger than this is not read for its platform; real ones are a few KiB. Bytes, as they are and not as a manifest says. */
export const maxConfigSize = 256 * 1024

/**
 * What lists show of a manifest, computed when it is pushed.
 *
 * The config blob is looked at, never required to make sense: any bytes may be a config (a disk image of 768 KiB, say), and
 * one that cannot be read leaves the platform unknown.
 */
export const manifestFacts = async (
  manifest: Manifest,
  readBlob: (descriptor: Descriptor) => Promise<Uint8Array | Readable | undefined>,
): Promise<ManifestFacts> => {
  const sizes = new Map<Digest, number>()
  for (const { descriptor } of manifestReferences(manifest)) sizes.set(descriptor.digest, descriptor.size)
  const artifactType = effectiveArtifactType(manifest)
  return {
    kind: manifest.kind,
    ...(artifactType === undefined ? {} : { artifactType }),
    contentSize: Math.min(
      [...sizes.values()].reduce((sum, size) => sum + size, 0),
      Number.MAX_SAFE_INTEGER,
    ),
    platforms: await platforms(manifest, readBlob),
    annotations: manifest.annotations ?? {},
  }
}

const platforms = async (
  manifest: Manifest,
  readBlob: (descriptor: Descriptor) => Promise<Uint8Array | Readable | undefined>,
): Promise<Platform[]> => {
  if (manifest.kind === 'index') {
    return manifest.manifests.flatMap((child) => (child.platform === undefined ? [] : [child.platform]))
  }
  if (manifest.kind !== 'image' || !configTypes.has(manifest.config.mediaType)) return []
  const config = await readBlob(manifest.config)
  if (!(config instanceof Uint8Array)) {
    config?.destroy()
    return []
  }
  const platform = platformOf(config)
  return platform === undefined ? [] : [platform]
}

const configTypes: ReadonlySet<string> = new Set([mediaTypes.ociImageConfig, mediaTypes.dockerImageConfig])

const platformOf = (config: Uint8Array): Platform | undefined => {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(config))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { architecture, os, variant } = value as Record<string, unknown>
  if (typeof architecture !== 'string' || typeof os !== 'string' || architecture === '' || os === '') return undefined
  return { architecture, os, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) }
}
