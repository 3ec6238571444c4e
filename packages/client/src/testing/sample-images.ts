import {
  type Annotations,
  type Descriptor,
  type DigestAlgorithm,
  digestOf,
  mediaTypes,
  type Platform,
} from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { Target } from '../content/ports.ts'
import { defaultHash } from '../hash.ts'

/** Content with its descriptor. */
export interface Sample {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** A manifest with what it names. */
export interface SampleManifest extends Sample {
  readonly blobs: readonly Sample[]
  readonly manifests: readonly SampleManifest[]
}

export interface SampleImageOptions {
  readonly layers?: readonly (string | Uint8Array)[]
  readonly layerType?: string
  /** What the layers are unpacked, where that is something else. */
  readonly unpacked?: readonly Uint8Array[]
  readonly platform?: Platform
  readonly subject?: Descriptor
  readonly artifactType?: string
  readonly annotations?: Annotations
  readonly algorithm?: DigestAlgorithm
}

export const sample = (mediaType: string, content: string | Uint8Array, algorithm?: DigestAlgorithm): Sample => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const digest = digestOf(bytes, defaultHash, algorithm)
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes }
}

/** An image whose layers are these bytes: real enough for programs that do not unpack it. */
export const sampleImage = (options: SampleImageOptions = {}): SampleManifest => {
  const { layers = ['layer'], layerType = mediaTypes.ociLayer, algorithm } = options
  const platform = options.platform ?? { os: 'linux', architecture: 'amd64' }
  const parts = layers.map((layer) => sample(layerType, layer, algorithm))
  const rootfs = {
    type: 'layers',
    diff_ids: (options.unpacked ?? layers).map((layer) => sample('', layer).descriptor.digest),
  }
  const config = sample(mediaTypes.ociImageConfig, JSON.stringify({ ...platform, rootfs }), algorithm)
  const manifest = sample(
    mediaTypes.ociImageManifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageManifest,
      artifactType: options.artifactType,
      config: config.descriptor,
      layers: parts.map(({ descriptor }) => descriptor),
      subject: options.subject,
      annotations: options.annotations,
    }),
    algorithm,
  )
  return { ...manifest, blobs: [config, ...parts], manifests: [] }
}

export const sampleIndex = (manifests: readonly SampleManifest[], subject?: Descriptor): SampleManifest => {
  const index = sample(
    mediaTypes.ociImageIndex,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociImageIndex,
      manifests: manifests.map(({ descriptor }) => descriptor),
      subject,
    }),
  )
  return { ...index, blobs: [], manifests }
}

/** Puts a manifest after all it names, as copies do. */
export const putSample = async (
  target: Target,
  manifest: SampleManifest,
  ...tags: readonly string[]
): Promise<void> => {
  for (const child of manifest.manifests) await putSample(target, child)
  for (const { descriptor, bytes } of manifest.blobs) await target.putBlob(descriptor, bytesContent(bytes))
  await target.putManifest(manifest.descriptor, manifest.bytes, { tags })
}
