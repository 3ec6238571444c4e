import {
  type Descriptor,
  type Digest,
  isIndexMediaType,
  isNonDistributableLayer,
  type Manifest,
  manifestReferences,
  parseManifest,
} from '@stowage/oci'
import type { ManifestContent } from '../content/ports.ts'
import { ClientError, isNotFound } from '../errors.ts'
import { defaultHash } from '../hash.ts'
import { orAborted } from '../content/interrupt.ts'
import { createLimiter } from '../content/limiter.ts'
import type { BlobCopier } from './blob-copier.ts'
import type { CopyContext } from './context.ts'
import { createTargetKnowledge } from './knowledge.ts'
import { rewriteIndex, selectChildren, selectImage } from './selection.ts'
import { onSide } from './side.ts'

/** Indexes within indexes. */
const deepest = 10
/** Manifests whose blobs are looked for at once. */
const atOnce = 8

export interface ManifestCopier {
  /** Digests of every manifest that the target has now because of this copy. */
  readonly seen: ReadonlySet<Digest>
  /** What the source's reference names, under the target's tags. */
  copyRoot(): Promise<Descriptor>
  /** Another manifest of the source, with all it names. */
  copy(descriptor: Descriptor, bytes?: Uint8Array, tags?: readonly string[]): Promise<void>
}

/** How one manifest is copied. */
interface Node {
  /** When they were read already. */
  readonly bytes: Uint8Array | undefined
  readonly tags: readonly string[]
  /** Indexes above it. */
  readonly depth: number
  /** Of the manifests it names only these: it stays sparse. */
  readonly only: ReadonlySet<Digest> | undefined
}

/** What the reference and the platforms come to. */
type Chosen = Pick<Node, 'bytes' | 'only'> & { readonly descriptor: Descriptor }

export const createManifestCopier = (context: CopyContext, blobs: BlobCopier): ManifestCopier => {
  const { from, to, options, signal, found, done, retry, fail } = context
  const { source } = from
  const { target } = to
  const hash = options.hash ?? defaultHash
  const limiter = createLimiter(atOnce)
  const seen = new Set<Digest>()
  const pending = new Map<Digest, Promise<void>>()

  /** All of them. The first failure stops the others, and is thrown when they have ended: nothing goes on behind the caller's back. */
  const all = async (works: readonly Promise<void>[]): Promise<void> => {
    for (const work of works) work.catch(fail)
    const results = await Promise.allSettled(works)
    const failure = results.find((result) => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }

  const read = async (descriptor: Descriptor): Promise<Uint8Array> =>
    onSide('source', source.getManifest(descriptor, { signal, onRetry: retry(descriptor) }))

  const put = async (descriptor: Descriptor, bytes: Uint8Array, tags: readonly string[]): Promise<void> =>
    onSide('target', target.putManifest(descriptor, bytes, { signal, tags, onRetry: retry(descriptor) }))

  /** Whether the target has a manifest, whatever it is called. Asked once among all copies that share what they know. */
  const isAnywhere = async (descriptor: Descriptor): Promise<boolean> => {
    const { digest } = descriptor
    const { asked } = options.knowledge ?? createTargetKnowledge()
    // One that failed elsewhere may have had reasons of its own.
    const answer = await orAborted(asked.get(digest)?.catch(() => undefined) ?? Promise.resolve(undefined), signal)
    if (answer !== undefined) return answer
    const asking = onSide('target', target.hasManifest(descriptor, { signal, onRetry: retry(descriptor) }))
    asked.set(digest, asking)
    let there = false
    try {
      there = await asking
    } finally {
      if (!there) asked.delete(digest)
    }
    return there
  }

  /**
   * Whether the target has a manifest, under all the tags. What an index names is asked for besides, for it may be sparse. An
   * image is taken at its word: registries check that they have the blobs of what is put, and `force` looks at each of them.
   */
  const isThere = async (descriptor: Descriptor, tags: readonly string[]): Promise<boolean> => {
    const { force, absent, knowledge } = options
    if (tags.length === 0 && knowledge?.manifests.has(descriptor.digest) === true) return true
    if (force === true || absent === true) return false
    if (tags.some((tag) => knowledge?.lacksTag(tag) === true)) return false
    const call = { signal, onRetry: retry(descriptor) }
    if (tags.length === 0) return knowledge?.isNew !== true && isAnywhere(descriptor)
    for (const tag of tags) {
      try {
        // What a mirror of the target has says nothing of the target.
        const { digest } = await onSide('target', target.resolve(tag, { ...call, fresh: true }))
        if (digest !== descriptor.digest) return false
      } catch (error) {
        if (isNotFound(error)) return false
        throw error
      }
    }
    return true
  }

  /** Everything that a manifest names, at the target; of the manifests only those that are wanted. */
  const copyReferences = async (manifest: Manifest, { depth, only }: Node): Promise<void> => {
    const works = manifestReferences(manifest).flatMap(({ role, descriptor }) => {
      const { mediaType, digest, urls } = descriptor
      if (role === 'manifest') {
        if (only?.has(digest) === false) return []
        return [copyNode(descriptor, { bytes: undefined, tags: [], depth: depth + 1, only: undefined })]
      }
      // Layers that may not be distributed have their own place, and registries need not hold them.
      return isNonDistributableLayer(mediaType) && urls !== undefined ? [] : [blobs.copy(descriptor)]
    })
    await all(works)
  }

  const copyNode = async (descriptor: Descriptor, node: Node): Promise<void> => {
    if (node.depth > deepest) {
      throw new ClientError('invalid-content', `${source.name}: more than ${deepest} indexes within each other.`, {
        side: 'source',
      })
    }
    const known = pending.get(descriptor.digest)
    if (known !== undefined && node.tags.length === 0) return known
    const work = copyNodeAlone(descriptor, node)
    pending.set(descriptor.digest, work)
    return work
  }

  const copyNodeAlone = async (descriptor: Descriptor, node: Node): Promise<void> => {
    found('manifest', descriptor)
    const there = await isThere(descriptor, node.tags)
    if (!there || needsChildren(descriptor)) {
      const bytes = await copyBelow(descriptor, node)
      if (!there) await put(descriptor, bytes, node.tags)
    }
    seen.add(descriptor.digest)
    if (node.only === undefined) options.knowledge?.manifests.add(descriptor.digest)
    done('manifest', descriptor, there ? 'existing' : 'copied')
  }

  /** What a manifest names. @returns its bytes */
  const copyBelow = async (descriptor: Descriptor, node: Node): Promise<Uint8Array> => {
    const leave = await limiter.enter(signal)
    let bytes: Uint8Array
    let manifest: Manifest
    try {
      bytes = node.bytes ?? (await read(descriptor))
      manifest = parseOn('source', bytes, descriptor)
    } finally {
      leave()
    }
    await copyReferences(manifest, node)
    return bytes
  }

  /**
   * An index that is there may be sparse, so its children are asked for, unless another copy did. They must be known besides when
   * what refers to them is to be copied.
   */
  const needsChildren = ({ mediaType, digest }: Descriptor): boolean =>
    isIndexMediaType(mediaType) &&
    (options.referrers === true || options.digestTags === true || options.knowledge?.manifests.has(digest) !== true)

  /** With platforms: the one image, or the index of some. */
  const choose = async (root: ManifestContent): Promise<Chosen> => {
    const { platforms = [], index } = options
    const { descriptor, bytes } = root
    const manifest = parseOn('source', bytes, descriptor)
    const [platform, ...others] = platforms
    if (platform === undefined || manifest.kind !== 'index') return { ...root, only: undefined }
    if (others.length === 0 && index === undefined) {
      const image = selectImage(manifest, platform, source.name)
      return { descriptor: image, bytes: undefined, only: undefined }
    }
    const children = selectChildren(manifest, platforms, source.name)
    if (index === 'sparse') return { ...root, only: new Set(children.map(({ digest }) => digest)) }
    return { ...rewriteIndex(bytes, descriptor, children, hash), only: undefined }
  }

  const readRoot = async (): Promise<ManifestContent> => {
    const call = { signal, onRetry: retry(undefined) }
    if (source.readManifest !== undefined) return source.readManifest(from.reference, call)
    const descriptor = await source.resolve(from.reference, call)
    return { descriptor, bytes: await read(descriptor) }
  }

  return {
    seen,
    async copyRoot() {
      const { descriptor, bytes, only } = await choose(await onSide('source', readRoot()))
      await copyNode(descriptor, { bytes, tags: to.tags ?? [], depth: 0, only })
      return descriptor
    },
    copy: async (descriptor, bytes, tags = []) => copyNode(descriptor, { bytes, tags, depth: 0, only: undefined }),
  }
}

export const parseOn = (side: 'source', bytes: Uint8Array, { mediaType }: Descriptor): Manifest => {
  try {
    return parseManifest(bytes, mediaType)
  } catch (error) {
    throw new ClientError('invalid-content', (error as Error).message, { side, cause: error })
  }
}
