import {
  annotationKeys,
  type Annotations,
  createDigester,
  type Descriptor,
  digestOf,
  type HashFactory,
  mediaTypes,
  parseManifestValue,
} from '@stowage/oci'
import { type Content, type ContentLike, toContent } from '../content/content.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { defaultHash } from '../hash.ts'
import { interruptible } from '../content/interrupt.ts'
import { type PackedBlob, packedSource } from './packed-source.ts'

/** One file of an artifact. */
export interface ArtifactContent {
  /** Read twice: once for its digest, once when it is sent. What has no end that is known before must be stored first. */
  readonly content: ContentLike
  /** The path under which it is pulled again, with `/` between its parts. Without one it is no file to those who pull. */
  readonly title?: string
  /** Default `application/vnd.oci.image.layer.v1.tar`, as with every tool that has pushed files so far. */
  readonly mediaType?: string
  readonly annotations?: Annotations
}

/** The config of an artifact, for what has one of its own. */
export interface ArtifactConfig {
  readonly content: ContentLike
  readonly mediaType: string
  readonly annotations?: Annotations
}

/** What an artifact is made of (image-spec 1.1, "Guidelines for Artifact Usage"). */
export interface ArtifactOptions {
  /** What it is: `application/vnd.example.thing.v1`. Needed, unless there is a config that says it. */
  readonly artifactType?: string
  readonly files?: readonly ArtifactContent[]
  /** Default: the empty one. */
  readonly config?: ArtifactConfig
  readonly annotations?: Annotations
  /** What it is about: it becomes a referrer of that. */
  readonly subject?: Descriptor
}

/** How an artifact is made. */
export interface PackOptions extends CallOptions {
  readonly hash?: HashFactory
}

/** An artifact that is ready to be put anywhere: what it is, and a source that has it. */
export interface PackedArtifact {
  readonly descriptor: Descriptor
  /** The manifest. */
  readonly bytes: Uint8Array
  /** Its only manifest is this one, by its digest. */
  readonly source: Source
}

/** A blob of an artifact that is nowhere yet. */
/** "The blob payload is the most minimal content that is still a valid JSON object: `{}`" */
const emptyBytes = new TextEncoder().encode('{}')
const emptyData = 'e30='
const fileMediaType = mediaTypes.ociLayer

/**
 * Makes an artifact of files. The same input gives the same bytes: nothing of the time or of this machine gets in.
 *
 * @throws {ClientError} `usage` for what makes no manifest; what reading the contents throws
 */
export const packArtifact = async (
  options: ArtifactOptions,
  { hash = defaultHash, signal }: PackOptions = {},
): Promise<PackedArtifact> => {
  const { artifactType, files = [], config, annotations, subject } = options
  // "This MUST be set when `config.mediaType` is set to the empty value."
  if (artifactType === undefined && (config === undefined || config.mediaType === mediaTypes.ociEmpty)) {
    throw new ClientError('usage', 'An artifact without a config needs an artifactType.', {
      hint: 'Say what it is, as application/vnd.example.thing.v1.',
    })
  }
  checkTitles(files)
  const blobs: PackedBlob[] = []
  const add = async (from: ContentLike, mediaType: string, label: string): Promise<Descriptor> => {
    const content = toContent(from)
    const descriptor = { mediaType, ...(await measure(content, hash, signal)) }
    blobs.push({ descriptor, content: { ...content, size: descriptor.size }, label })
    return descriptor
  }
  const empty = async (): Promise<Descriptor> => ({
    ...(await add(emptyBytes, mediaTypes.ociEmpty, 'the empty config')),
    data: emptyData,
  })
  const ownConfig =
    config === undefined
      ? await empty()
      : { ...(await add(config.content, config.mediaType, 'the config')), ...noted(config.annotations) }
  const layers: Descriptor[] = []
  for (const { content, title, mediaType = fileMediaType, annotations: own } of files) {
    layers.push({ ...(await add(content, mediaType, title ?? `a file of ${mediaType}`)), ...noted(own, title) })
  }
  // "For portability, `layers` SHOULD have at least one entry."
  if (layers.length === 0) layers.push(await empty())
  const value = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociImageManifest,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: ownConfig,
    layers,
    ...(subject === undefined ? {} : { subject: plain(subject) }),
    ...noted(annotations),
  }
  return finish(value, blobs, hash)
}

const finish = (value: object, blobs: readonly PackedBlob[], hash: HashFactory): PackedArtifact => {
  try {
    parseManifestValue(value)
  } catch (error) {
    throw new ClientError('usage', `The artifact cannot be made. ${(error as Error).message}`, { cause: error })
  }
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const descriptor: Descriptor = {
    mediaType: mediaTypes.ociImageManifest,
    digest: digestOf(bytes, hash),
    size: bytes.byteLength,
  }
  return { descriptor, bytes, source: packedSource({ descriptor, bytes, blobs, hash }) }
}

/** Who pulls would get one of them only. */
const checkTitles = (files: readonly ArtifactContent[]): void => {
  const titles = new Set<string>()
  for (const { title } of files) {
    if (title === undefined) continue
    if (title === '') throw new ClientError('usage', 'The title of a file is empty.')
    if (titles.has(title)) throw new ClientError('usage', `Two files have the title ${JSON.stringify(title)}.`)
    titles.add(title)
  }
}

/** Keys in order, so that how they were given makes no difference. */
const noted = (annotations: Annotations = {}, title?: string): { annotations?: Annotations } => {
  const all = title === undefined ? annotations : { ...annotations, [annotationKeys.title]: title }
  const sorted = Object.entries(all).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return sorted.length === 0 ? {} : { annotations: Object.fromEntries(sorted) }
}

/** What the subject's own list said of it is no part of the referrer. */
const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size })

const measure = async (
  content: Content,
  hash: HashFactory,
  signal: AbortSignal | undefined,
): Promise<Pick<Descriptor, 'digest' | 'size'>> => {
  const digester = createDigester(hash)
  let size = 0
  for await (const chunk of interruptible(content.open(signal === undefined ? {} : { signal }), signal)) {
    digester.update(chunk)
    size += chunk.byteLength
  }
  return { digest: digester.digest(), size }
}
