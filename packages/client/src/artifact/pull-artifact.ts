import {
  annotationKeys,
  type Annotations,
  type ArtifactManifest,
  type Descriptor,
  effectiveArtifactType,
  type ImageManifest,
  mediaTypes,
  type Platform,
} from '@stowage/oci'
import type { CallOptions, Source } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { openDescriptor, openManifest, type OpenedIndex, type OpenedManifest } from '../opened.ts'
import { describePlatform } from '../platform.ts'

/** Which artifact is meant. */
export interface PullArtifactOptions extends CallOptions {
  /** Which manifest of an index. Not needed when there is one only. */
  readonly platform?: Platform
}

/** A file of an artifact, where it is. */
export interface PulledFile {
  /**
   * The path it was pushed under; undefined for what is no file to whoever pushed it. Untrusted: it may lead anywhere. Use
   * `saveArtifact` of `@stowage/client/node` to write files.
   */
  readonly title: string | undefined
  readonly descriptor: Descriptor
  /** Its bytes, verified: the last of them come only after all had the right digest and length. */
  open(options?: CallOptions): AsyncIterable<Uint8Array>
}

/** An artifact, where it is: what it says of itself, and its files. */
export interface PulledArtifact {
  readonly descriptor: Descriptor
  readonly manifest: ImageManifest | ArtifactManifest
  readonly artifactType: string | undefined
  readonly annotations: Annotations
  /** In the order of the manifest. Read them while the source is open. */
  readonly files: readonly PulledFile[]
}

/**
 * The files of an artifact. The layers of an image are its files, too, though mostly without titles.
 *
 * @throws {ClientError} `not-found`; `usage` for an index of several manifests without a platform
 */
export const pullArtifact = async (
  source: Source,
  reference: string,
  { platform, ...call }: PullArtifactOptions = {},
): Promise<PulledArtifact> => {
  let opened = await openManifest(source, reference, call)
  for (let depth = 0; opened.kind === 'index'; depth++) {
    if (depth >= deepest)
      throw new ClientError('invalid-content', `${source.name}: more than ${deepest} indexes within each other.`)
    opened = await childOf(opened, platform, call)
  }
  const { descriptor, manifest } = opened
  const listed = manifest.kind === 'artifact' ? manifest.blobs : manifest.layers
  return {
    descriptor,
    manifest,
    artifactType: effectiveArtifactType(manifest),
    annotations: manifest.annotations ?? {},
    files: listed.flatMap((file) => {
      const title = file.annotations?.[annotationKeys.title]
      // What stands there only because a list must not be empty.
      if (file.mediaType === mediaTypes.ociEmpty && title === undefined) return []
      return [{ title, descriptor: file, open: (options = {}) => source.getBlob(file, { ...call, ...options }) }]
    }),
  }
}

/** Indexes within indexes. */
const deepest = 10

const childOf = async (
  { manifest, source, platform: choose }: OpenedIndex,
  platform: Platform | undefined,
  call: CallOptions,
): Promise<OpenedManifest> => {
  if (platform !== undefined) return choose(platform, call)
  const [only, ...others] = manifest.manifests
  if (only !== undefined && others.length === 0) return openDescriptor(source, only, call)
  const named = manifest.manifests.map((child) =>
    child.platform === undefined ? `@${child.digest}` : describePlatform(child.platform),
  )
  const what = only === undefined ? 'an empty index' : 'an index of several manifests'
  throw new ClientError('usage', `${source.name} has ${what} there.`, {
    subject: source.name,
    ...(only === undefined
      ? {}
      : { hint: `Say which platform or digest: ${[...new Set(named)].slice(0, 10).join(', ')}.` }),
  })
}
