import { type Descriptor, type Digest, manifestReferences, type Platform } from '@stowage/oci'
import { inParallel } from '../content/in-parallel.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { describePlatform } from '../platform.ts'
import { walkManifests, type WalkedManifest } from './walk-manifests.ts'

/** Something whose size is asked for. */
export interface UsageRequest {
  readonly source: Source
  /** A tag or a digest. */
  readonly reference: string
  /** How the answer calls it. Default: the reference. */
  readonly name?: string
}

/** How the use of room is found out. */
export interface UsageOptions extends CallOptions {
  /** Images looked at at once. Default 8. */
  readonly concurrency?: number
  /** Only these platforms of indexes. */
  readonly platforms?: readonly Platform[]
}

/** Bytes of manifests and blobs, each counted once. */
export interface UsageBytes {
  /** All that it consists of. */
  readonly bytes: number
  /** What nothing else that was looked at has: it would be free if this were gone. */
  readonly unique: number
  /** The rest. */
  readonly shared: number
}

/** What an image for one platform has. */
export interface PlatformUsage extends UsageBytes {
  /** `linux/amd64`; undefined for what names none. */
  readonly platform: string | undefined
  readonly descriptor: Descriptor
}

/** What an image has. */
export interface ImageUsage extends UsageBytes {
  readonly name: string
  readonly descriptor: Descriptor
  /** The images in it; one for an image of one platform. Unique is what no other of them has, here or in another image. */
  readonly platforms: readonly PlatformUsage[]
  /** Manifests that an index names and that could not be read: what they need is not counted. */
  readonly missing: readonly Descriptor[]
}

/** What images have together. */
export interface Usage {
  /** In the order that was asked. */
  readonly images: readonly ImageUsage[]
  /** Bytes of all together, each manifest and blob once. */
  readonly total: number
  /** What they would have if nothing were shared. */
  readonly apparent: number
  readonly manifests: number
  readonly blobs: number
}

/**
 * How much room images take, by what their manifests say: no blob is read. What several of them have is counted once, as
 * registries and layouts keep it.
 *
 * @throws {ClientError} `not-found` when one of them is not there
 */
export const usage = async (requests: readonly UsageRequest[], options: UsageOptions = {}): Promise<Usage> => {
  const { concurrency: atOnce = 8, signal } = options
  const measured: Measured[] = []
  const works = inParallel(requests.entries(), { atOnce, signal }, async ([at, request], inner) => ({
    at,
    image: await measure(request, { ...options, signal: inner }),
  }))
  for await (const { at, image } of works) measured[at] = image
  return summarize(measured)
}

/** Everything below something, by digest. */
type Content = Map<Digest, number>

interface Measured {
  readonly name: string
  readonly descriptor: Descriptor
  readonly all: Content
  readonly platforms: readonly {
    readonly platform: string | undefined
    readonly descriptor: Descriptor
    readonly content: Content
  }[]
  readonly missing: readonly Descriptor[]
  readonly manifests: ReadonlySet<Digest>
}

const measure = async (
  { source, reference, name = reference }: UsageRequest,
  options: UsageOptions,
): Promise<Measured> => {
  const descriptor = await source.resolve(reference, options)
  const platforms: Measured['platforms'][number][] = []
  const missing: Descriptor[] = []
  const manifests = new Set<Digest>()
  const all: Content = new Map()
  for await (const walked of walkManifests(source, descriptor, options)) {
    if (walked.manifest === undefined) {
      // Of the one that was asked for, nothing could be said at all.
      if (walked.where === '') throw walked.error
      missing.push(walked.descriptor)
      continue
    }
    const content = contentOf(walked)
    manifests.add(walked.descriptor.digest)
    for (const [digest, size] of content) all.set(digest, size)
    if (walked.manifest.kind === 'index') continue
    const platform = walked.platform === undefined ? undefined : describePlatform(walked.platform)
    platforms.push({ platform, descriptor: walked.descriptor, content })
  }
  return { name, descriptor, all, platforms, missing, manifests }
}

const contentOf = ({ descriptor, manifest }: WalkedManifest): Content => {
  const content: Content = new Map([[descriptor.digest, descriptor.size]])
  if (manifest === undefined || manifest.kind === 'index') return content
  for (const { descriptor: part } of manifestReferences(manifest)) content.set(part.digest, part.size)
  return content
}

const summarize = (measured: readonly Measured[]): Usage => {
  const everything: Content = new Map()
  const manifests = new Set<Digest>()
  for (const image of measured) {
    for (const [digest, size] of image.all) everything.set(digest, size)
    for (const digest of image.manifests) manifests.add(digest)
  }
  const inImages = countOwners(measured.map(({ all }) => all))
  const inPlatforms = countOwners(measured.flatMap(({ platforms }) => platforms.map(({ content }) => content)))
  return {
    images: measured.map(({ name, descriptor, all, platforms, missing }) => ({
      name,
      descriptor,
      ...bytesOf(all, inImages),
      platforms: platforms.map(({ platform, descriptor: own, content }) => ({
        platform,
        descriptor: own,
        ...bytesOf(content, inPlatforms),
      })),
      missing,
    })),
    total: sum(everything.values()),
    apparent: measured.reduce((bytes, { all }) => bytes + sum(all.values()), 0),
    manifests: manifests.size,
    blobs: everything.size - manifests.size,
  }
}

const countOwners = (contents: readonly Content[]): ReadonlyMap<Digest, number> => {
  const owners = new Map<Digest, number>()
  for (const content of contents) for (const digest of content.keys()) owners.set(digest, (owners.get(digest) ?? 0) + 1)
  return owners
}

const bytesOf = (content: Content, owners: ReadonlyMap<Digest, number>): UsageBytes => {
  const bytes = sum(content.values())
  const unique = sum([...content].filter(([digest]) => owners.get(digest) === 1).map(([, size]) => size))
  return { bytes, unique, shared: bytes - unique }
}

const sum = (sizes: Iterable<number>): number => {
  let total = 0
  for (const size of sizes) total += size
  return total
}
