import {
  annotationKeys,
  type Descriptor,
  type Digest,
  type HashFactory,
  type Manifest,
  mediaTypes,
  parseManifest,
} from '@stowage/oci'
import { maxManifestSize, readAll } from '../../content/verify.ts'
import { ClientError } from '../../errors.ts'
import {
  emptyIndex,
  imageNameKey,
  type LayoutEntry,
  type LayoutIndex,
  newEntry,
  withAnnotations,
} from '../../layout/layout-index.ts'
import { fullName, isLayoutName, tagOfName } from '../../layout/layout-names.ts'
import type { LayoutStore } from '../../layout/layout-store.ts'
import { createQueue } from '../../layout/queue.ts'
import { blobPath, createArchiveBlobs } from './archive-blobs.ts'
import type { ArchiveOutput } from './archive-output.ts'
import { makeManifest, readImageParts } from './docker-images.ts'
import { type DockerImage, dockerManifestFile, formatDockerManifest } from './docker-manifest.ts'
import { layoutParts } from './layout-parts.ts'
import type { Archive } from './open-archive.ts'
import { readStoredManifests } from './stored-manifests.ts'
import type { TarFile } from './tar-index.ts'
import { bytesPart, type TarPart } from './write-tar.ts'

export interface DockerStoreOptions {
  readonly name: string
  readonly hash: HashFactory
  readonly output: ArchiveOutput
  /** The archive as it is, and the images it says it has. */
  readonly base: { readonly archive: Archive; readonly images: readonly DockerImage[] } | undefined
}

/** What is read of the images of an archive when they are first asked for. */
interface Loaded {
  readonly index: LayoutIndex
  readonly manifests: ReadonlyMap<Digest, Uint8Array>
  readonly files: ReadonlyMap<Digest, TarFile>
}

/** What `docker save` writes, as if it were an image layout: an image is an entry, its `RepoTags` are the names. */
export const createDockerStore = ({ name, hash, output, base }: DockerStoreOptions): LayoutStore => {
  const queue = createQueue()
  let loading: Promise<Loaded> | undefined
  let loaded: Loaded = { index: emptyIndex, manifests: new Map(), files: new Map() }
  let index: LayoutIndex | undefined = base === undefined ? emptyIndex : undefined
  let isChanged = base === undefined
  const blobs = createArchiveBlobs({
    subject: name,
    output,
    base: base?.archive,
    find: (digest) => loaded.files.get(digest),
  })

  /** What there is by its digests. Once, and not before somebody asks: it may take reading every layer. */
  const load = async (signal?: AbortSignal): Promise<LayoutIndex> => {
    if (index !== undefined || base === undefined) return index ?? emptyIndex
    loading ??= readImages(base.archive, base.images, { name, hash, signal })
    try {
      loaded = await loading
    } catch (error) {
      loading = undefined
      throw error
    }
    index ??= loaded.index
    return index
  }

  const manifestOf = (digest: Digest): Uint8Array | undefined =>
    blobs.written.has(digest) || blobs.removed.has(digest) ? undefined : loaded.manifests.get(digest)

  async function* read(digest: Digest, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    await load(signal)
    const manifest = manifestOf(digest)
    if (manifest === undefined) yield* blobs.read(digest)
    else yield new Uint8Array(manifest)
  }

  /** The files of all images, each once, and the table of contents. */
  const allParts = async (entries: LayoutIndex): Promise<TarPart[]> => {
    const parts = new Map<string, TarPart>()
    const images: DockerImage[] = []
    for (const [digest, names] of namesByDigest(entries)) {
      const bytes = await readAll(read(digest), maxManifestSize, `${name}@${digest}`)
      const manifest = parseManifest(bytes)
      if (manifest.kind !== 'image') throw noImage(name, manifest)
      for (const part of [manifest.config, ...manifest.layers]) {
        parts.set(blobPath(part.digest), await blobs.part(part.digest))
      }
      parts.set(blobPath(digest), bytesPart(blobPath(digest), bytes))
      const layers = manifest.layers.map((layer) => blobPath(layer.digest))
      images.push({ config: blobPath(manifest.config.digest), tags: names, layers })
    }
    const contents = bytesPart(dockerManifestFile, formatDockerManifest(images))
    return layoutParts(withBothNames(entries), [...parts.values()], [contents])
  }

  return {
    name,
    readIndex: ({ signal } = {}) => load(signal),
    changeIndex: (change) =>
      queue(async () => {
        index = await change(await load())
        isChanged = true
      }),
    async blobSize(digest) {
      await load()
      return manifestOf(digest)?.byteLength ?? blobs.size(digest)
    },
    readBlob: (digest, { signal } = {}) => read(digest, signal),
    writeBlob: blobs.write,
    removeBlob: blobs.remove,
    admitManifest(manifest) {
      if (manifest.kind !== 'image' || !imageConfigs.has(manifest.config.mediaType)) throw noImage(name, manifest)
    },
    admitName(tag) {
      if (fullName(tag) !== undefined) return
      throw new ClientError('usage', `${name} cannot name an image "${tag}": docker load wants a repository, too.`, {
        subject: name,
        hint: `Write it as in acme/app:${tag}.`,
      })
    },
    finish: ({ signal } = {}) =>
      queue(async () => {
        if (!isChanged) return
        await output.write(await allParts(await load(signal)), signal)
        isChanged = false
      }),
    async [Symbol.asyncDispose]() {
      await output[Symbol.asyncDispose]()
      await base?.archive[Symbol.asyncDispose]()
    },
  }
}

const imageConfigs: ReadonlySet<string> = new Set([mediaTypes.ociImageConfig, mediaTypes.dockerImageConfig])

const noImage = (name: string, { kind }: Manifest): ClientError =>
  new ClientError('unsupported', `${name} can hold images only, each for one platform.`, {
    subject: name,
    hint:
      kind === 'index'
        ? 'This is an index: choose one of its platforms, or write to oci-archive:, which holds anything.'
        : 'This is an artifact: write to oci-archive:, which holds anything.',
  })

const readImages = async (
  archive: Archive,
  images: readonly DockerImage[],
  {
    name,
    hash,
    signal,
  }: { readonly name: string; readonly hash: HashFactory; readonly signal: AbortSignal | undefined },
): Promise<Loaded> => {
  const stored = await readStoredManifests(archive, hash, name)
  const manifests = new Map<Digest, Uint8Array>()
  const files = new Map<Digest, TarFile>()
  const known = new Map<TarFile, Digest>()
  const descriptors = new Map<Digest, Descriptor>()
  // By full names: they may be very many, so that nothing is looked for in a list.
  const owners = new Map<string, { readonly tag: string; readonly digest: Digest }>()
  for (const image of images) {
    const parts = await readImageParts(archive, image, { subject: name, hash, known, signal })
    for (const { digest, file } of [parts.config, ...parts.layers]) files.set(digest, file)
    const { descriptor, bytes } = stored(parts) ?? makeManifest(parts, hash)
    const { digest } = descriptor
    manifests.set(digest, bytes)
    descriptors.set(digest, descriptor)
    for (const tag of image.tags) {
      const full = isLayoutName(tag) ? fullName(tag) : undefined
      // As with docker load, the last image of a name has it.
      if (full !== undefined) owners.set(full, { tag, digest })
    }
  }
  const named = Map.groupBy(owners.values(), ({ digest }) => digest)
  const entries = [...descriptors.values()].flatMap((descriptor): LayoutEntry[] => {
    const entry = newEntry(descriptor)
    const names = named.get(descriptor.digest)
    return names?.map(({ tag }) => withAnnotations(entry, { [annotationKeys.refName]: tag })) ?? [entry]
  })
  return { index: { ...emptyIndex, entries }, manifests, files }
}

const namesByDigest = ({ entries }: LayoutIndex): ReadonlyMap<Digest, readonly string[]> => {
  const found = new Map<Digest, readonly string[]>()
  for (const { descriptor, names } of entries) {
    found.set(descriptor.digest, [...(found.get(descriptor.digest) ?? []), ...names])
  }
  return found
}

/** The archive is an image layout as well, with names as Docker and containerd write them there. */
const withBothNames = (index: LayoutIndex): LayoutIndex => ({
  ...index,
  entries: index.entries.map((entry) => {
    const [first] = entry.names
    const [tag, full] = first === undefined ? [] : [tagOfName(first), fullName(first)]
    const plain = newEntry(entry.descriptor)
    if (tag === undefined || full === undefined) return plain
    return withAnnotations(plain, { [imageNameKey]: full, [annotationKeys.refName]: tag })
  }),
})
