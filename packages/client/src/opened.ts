import {
  type ArtifactManifest,
  type Descriptor,
  effectiveArtifactType,
  type ImageConfig,
  type ImageManifest,
  type Index,
  mediaTypes,
  parseImageConfig,
  parseManifest,
  type Platform,
} from '@stowage/oci'
import type { CallOptions, Source } from './content/ports.ts'
import { readAll } from './content/verify.ts'
import { ClientError } from './errors.ts'
import { describePlatform, matchesPlatform } from './platform.ts'

interface Common extends AsyncDisposable {
  readonly descriptor: Descriptor
  /** The manifest, byte for byte. */
  readonly bytes: Uint8Array
  /** Where it came from: its blobs are read from there. */
  readonly source: Source
  /** Closes what `client.open` opened on this machine. Nothing else is closed: a registry, memory, a source of the caller's. */
  [Symbol.asyncDispose](): Promise<void>
}

/** An image for one platform. */
export interface OpenedImage extends Common {
  readonly kind: 'image'
  readonly manifest: ImageManifest
  /** Reads its config. */
  config(options?: CallOptions): Promise<ImageConfig>
}

/** Images for several platforms, or whatever else an index has. */
export interface OpenedIndex extends Common {
  readonly kind: 'index'
  readonly manifest: Index
  /**
   * Opens the manifest for a platform. It reads from the same place, which the index closes.
   *
   * @throws {ClientError} `not-found`, naming the platforms there are
   */
  platform(platform: Platform, options?: CallOptions): Promise<OpenedManifest>
}

/** Anything that is no image: files, charts, signatures. */
export interface OpenedArtifact extends Common {
  readonly kind: 'artifact'
  readonly manifest: ImageManifest | ArtifactManifest
  readonly artifactType: string | undefined
  /** Its content, whatever its manifest calls it. */
  readonly files: readonly Descriptor[]
}

/** What a reference names. Decide by `kind`. */
export type OpenedManifest = OpenedImage | OpenedIndex | OpenedArtifact

/** The same, with what is to be closed when it is disposed of. */
export const closedBy = (opened: OpenedManifest, close: () => Promise<void>): OpenedManifest => ({
  ...opened,
  [Symbol.asyncDispose]: close,
})

/** Bytes of a config that are read. */
const configLimit = 8 * 1024 * 1024

/** Opens what a tag or digest names. @throws {ClientError} `not-found`, `digest-mismatch`; ParseError for what is no manifest */
export const openManifest = async (
  source: Source,
  reference: string,
  options: CallOptions = {},
): Promise<OpenedManifest> => {
  if (source.readManifest !== undefined) {
    const { descriptor, bytes } = await source.readManifest(reference, options)
    return toOpened(source, descriptor, bytes)
  }
  return openDescriptor(source, await source.resolve(reference, options), options)
}

/** Opens the manifest that a descriptor is of. */
export const openDescriptor = async (
  source: Source,
  descriptor: Descriptor,
  options: CallOptions = {},
): Promise<OpenedManifest> => toOpened(source, descriptor, await source.getManifest(descriptor, options))

const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociImageConfig, mediaTypes.dockerImageConfig])

const toOpened = (source: Source, descriptor: Descriptor, bytes: Uint8Array): OpenedManifest => {
  const manifest = parseManifest(bytes, descriptor.mediaType)
  const common = { descriptor, bytes, source, [Symbol.asyncDispose]: async () => {} }
  if (manifest.kind === 'index') {
    return {
      ...common,
      kind: 'index',
      manifest,
      platform: async (platform, options) => {
        const found = manifest.manifests.find((child) => matchesPlatform(child.platform, platform))
        if (found === undefined) throw noPlatform(source, manifest, platform)
        return openDescriptor(source, found, options)
      },
    }
  }
  const isImage = manifest.kind === 'image' && manifest.artifactType === undefined
  if (isImage && imageConfigs.has(manifest.config.mediaType)) {
    return {
      ...common,
      kind: 'image',
      manifest,
      config: async (options) =>
        parseImageConfig(
          await readAll(source.getBlob(manifest.config, options), configLimit, `the config of ${source.name}`),
        ),
    }
  }
  return {
    ...common,
    kind: 'artifact',
    manifest,
    artifactType: effectiveArtifactType(manifest),
    files: manifest.kind === 'artifact' ? manifest.blobs : manifest.layers,
  }
}

const noPlatform = (source: Source, { manifests }: Index, platform: Platform): ClientError => {
  const there = manifests.flatMap((child) => (child.platform === undefined ? [] : [describePlatform(child.platform)]))
  return new ClientError('not-found', `${source.name} has nothing for ${describePlatform(platform)}.`, {
    subject: source.name,
    hint: there.length === 0 ? 'Its index names no platforms.' : `There is ${[...new Set(there)].join(', ')}.`,
  })
}
