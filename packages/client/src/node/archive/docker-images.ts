import {
  createDigester,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  type DigestAlgorithm,
  digestOf,
  type HashFactory,
  isDigest,
  mediaTypes,
  safeParseImageConfig,
} from '@stowage/oci'
import { readAll } from '../../content/verify.ts'
import { ClientError } from '../../errors.ts'
import { throwIfAborted } from '../../content/interrupt.ts'
import { pieceSize } from '../read-file.ts'
import type { DockerImage } from './docker-manifest.ts'
import type { Archive } from './open-archive.ts'
import type { TarFile } from './tar-index.ts'

/** What a file of an archive is as a part of an image. */
export interface ImagePart {
  readonly digest: Digest
  readonly file: TarFile
  readonly compression: Compression
}

export type Compression = 'none' | 'gzip' | 'zstd'

/** An image of an archive with the digests of its parts. */
export interface ImageParts {
  readonly config: ImagePart
  readonly layers: readonly ImagePart[]
}

export interface ImagePartsOptions {
  readonly subject: string
  readonly hash: HashFactory
  /** What was read before: images share layers. */
  readonly known: Map<TarFile, Digest>
  readonly signal?: AbortSignal | undefined
}

/** Most bytes of a config that are read. */
const maxConfigSize = 8 * 1024 * 1024

/**
 * Finds the digests of an image's parts, with as little reading as may be. A layer that is not compressed has the digest that
 * the config gives it, and a file in `blobs/` that of its name: whoever reads them verifies it. Only other compressed layers have
 * to be read to their end.
 *
 * @throws {ClientError} `invalid-content`, `unsupported`, `aborted`
 */
export const readImageParts = async (
  archive: Archive,
  { config, layers }: DockerImage,
  options: ImagePartsOptions,
): Promise<ImageParts> => {
  const { subject, hash, signal } = options
  const find = (path: string): TarFile => {
    const file = archive.find(path)
    if (file !== undefined) return file
    throw new ClientError('invalid-content', `${subject} has no file ${path}, which its manifest.json names.`, {
      subject,
    })
  }
  const configFile = find(config)
  const bytes = await readAll(archive.read(configFile), maxConfigSize, `${config} in ${subject}`)
  const parsed = safeParseImageConfig(bytes)
  const diffIds = parsed.ok ? parsed.value.rootfs.diff_ids : undefined
  if (diffIds !== undefined && diffIds.length !== layers.length) {
    throw new ClientError(
      'invalid-content',
      `${subject} has ${layers.length} layers where ${config} has ${diffIds.length}.`,
      {
        subject,
      },
    )
  }
  const parts: ImagePart[] = []
  for (const [at, path] of layers.entries()) {
    throwIfAborted(signal)
    const file = find(path)
    const compression = await compressionOf(archive, file, path, subject)
    const known = digestOfPath(path) ?? (compression === 'none' ? diffIds?.[at] : undefined)
    parts.push({ file, compression, digest: known ?? (await digestOfFile(archive, file, options)) })
  }
  return {
    config: { file: configFile, digest: digestOf(bytes, hash, algorithmOfPath(config)), compression: 'none' },
    layers: parts,
  }
}

/** First bytes, in hex. Docker unpacks the last two as well; there is no media type for them. */
const magics: readonly (readonly [string, Compression | undefined])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['425a68', undefined],
  ['fd377a585a00', undefined],
]

const compressionOf = async (archive: Archive, file: TarFile, path: string, subject: string): Promise<Compression> => {
  const start = { ...file, size: Math.min(file.size, 6) }
  const bytes = Buffer.from(await readAll(archive.read(start), 6, path)).toString('hex')
  const found = magics.find(([magic]) => bytes.startsWith(magic))
  if (found === undefined) return 'none'
  if (found[1] !== undefined) return found[1]
  throw new ClientError('unsupported', `The layer ${path} of ${subject} is compressed with xz or bzip2.`, { subject })
}

const digestOfPath = (path: string): Digest | undefined => {
  const digest = /^blobs\/([^/]+)\/([^/]+)$/.exec(path)?.slice(1).join(':')
  return isDigest(digest) ? digest : undefined
}

const algorithmOfPath = (path: string): DigestAlgorithm | undefined => {
  const digest = digestOfPath(path)
  return digest === undefined ? undefined : digestAlgorithm(digest)
}

const digestOfFile = async (
  archive: Archive,
  file: TarFile,
  { hash, known, signal }: ImagePartsOptions,
): Promise<Digest> => {
  const before = known.get(file)
  if (before !== undefined) return before
  const digester = createDigester(hash)
  for await (const piece of archive.read(file, Buffer.allocUnsafeSlow(pieceSize))) {
    throwIfAborted(signal)
    digester.update(piece)
  }
  const digest = digester.digest()
  known.set(file, digest)
  return digest
}

const dockerLayers: Readonly<Record<Exclude<Compression, 'zstd'>, string>> = {
  none: mediaTypes.dockerLayer,
  gzip: mediaTypes.dockerLayerGzip,
}
const ociLayers: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
}

const describe = (mediaType: string, { digest, file }: ImagePart): Descriptor => ({
  mediaType,
  size: file.size,
  digest,
})

/** The manifest of an image that came without one: Docker's, or OCI's when a layer has a compression that Docker's has not. */
export const makeManifest = (
  { config, layers }: ImageParts,
  hash: HashFactory,
): { descriptor: Descriptor; bytes: Uint8Array } => {
  const isOci = layers.some(({ compression }) => compression === 'zstd')
  const mediaType = isOci ? mediaTypes.ociImageManifest : mediaTypes.dockerManifest
  const layerType = (compression: Compression): string =>
    isOci || compression === 'zstd' ? ociLayers[compression] : dockerLayers[compression]
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: describe(isOci ? mediaTypes.ociImageConfig : mediaTypes.dockerImageConfig, config),
    layers: layers.map((layer) => describe(layerType(layer.compression), layer)),
  }
  const bytes = new TextEncoder().encode(JSON.stringify(manifest))
  return { descriptor: { mediaType, digest: digestOf(bytes, hash), size: bytes.byteLength }, bytes }
}
