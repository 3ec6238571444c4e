import {
  type Descriptor,
  type Digest,
  type Manifest,
  manifestReferences,
  parseManifest,
  isNonDistributableLayer,
} from '@stowage/oci'
import type { ManifestContent } from '../content/ports.ts'
import { ClientError, isNotFound } from '../errors.ts'
import { defaultHash } from '../hash.ts'
import { createLimiter } from '../content/limiter.ts'
import type { BlobCopier } from './blob-copier.ts'
import type { CopyContext } from './copy.ts'
import { rewriteIndex, selectChildren } from './selection.ts'
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

  const isThere = async (
    descriptor: Descriptor,
    tags: readonly string[],
  ): Promise<'tagged' | 'untagged' | 'absent'> => {
    if (tags.length === 0 && options.knowledge?.manifests.has(descriptor.digest) === true) return 'tagged'
    if (options.force === true || options.absent === true) return 'absent'
    if (options.knowledge?.isNew === true && tags.length === 0) return 'absent'
    if (tags.some((tag) => options.knowledge?.lacksTag(tag) === true)) return 'absent'
    if (tags.length === 0) {
      const has = await onSide('target', target.hasManifest(descriptor, { signal, onRetry: retry(descriptor) }))
      return has ? 'tagged' : 'absent'
    }
    // By the tags alone: a manifest that is there without them is found to be complete blob by blob.
    for (const tag of tags) {
      try {
        const { digest } = await onSide('target', target.resolve(tag, { signal, onRetry: retry(descriptor) }))
        if (digest !== descriptor.digest) return 'absent'
      } catch (error) {
        if (isNotFound(error)) return 'absent'
        throw error
      }
    }
    return 'tagged'
  }

  /** Everything that a manifest names, at the target. */
  const copyReferences = async (manifest: Manifest, depth: number): Promise<void> => {
    const references = manifestReferences(manifest)
    // Layers that may not be distributed have their own place, and registries need not hold them.
    const wanted = references.filter(
      ({ descriptor: { mediaType, urls } }) => !(isNonDistributableLayer(mediaType) && urls !== undefined),
    )
    await all(
      wanted.map(async ({ role, descriptor }) =>
        role === 'manifest' ? copyNode(descriptor, undefined, [], depth + 1) : blobs.copy(descriptor),
      ),
    )
  }

  const copyNode = async (
    descriptor: Descriptor,
    bytes: Uint8Array | undefined,
    tags: readonly string[],
    depth: number,
  ): Promise<void> => {
    if (depth > deepest) {
      throw new ClientError('invalid-content', `${source.name}: more than ${deepest} indexes within each other.`, {
        side: 'source',
      })
    }
    const known = pending.get(descriptor.digest)
    if (known !== undefined && tags.length === 0) return known
    const work = copyNodeAlone(descriptor, bytes, tags, depth)
    pending.set(descriptor.digest, work)
    return work
  }

  const copyNodeAlone = async (
    descriptor: Descriptor,
    given: Uint8Array | undefined,
    tags: readonly string[],
    depth: number,
  ): Promise<void> => {
    found('manifest', descriptor)
    const there = (await isThere(descriptor, tags)) === 'tagged'
    if (there && !needsChildren(descriptor)) {
      has(descriptor)
      done('manifest', descriptor, 'existing')
      return
    }
    const leave = await limiter.enter(signal)
    let bytes: Uint8Array
    let manifest: Manifest
    try {
      bytes = given ?? (await read(descriptor))
      manifest = parseOn('source', bytes, descriptor)
    } finally {
      leave()
    }
    await copyReferences(manifest, depth)
    if (!there) await put(descriptor, bytes, tags)
    has(descriptor)
    done('manifest', descriptor, there ? 'existing' : 'copied')
  }

  const has = ({ digest }: Descriptor): void => {
    seen.add(digest)
    options.knowledge?.manifests.add(digest)
  }

  /** The children of an index that is there must be known when what refers to them is to be copied. */
  const needsChildren = ({ mediaType }: Descriptor): boolean =>
    (options.referrers === true || options.digestTags === true) && /index|manifest\.list/.test(mediaType)

  /** With platforms: the one image, or the index of some. */
  const choose = async ({ descriptor, bytes }: ManifestContent): Promise<ManifestContent | 'sparse'> => {
    const { platforms = [], index } = options
    const manifest = parseOn('source', bytes, descriptor)
    if (platforms.length === 0 || manifest.kind !== 'index') return { descriptor, bytes }
    const children = selectChildren(manifest, platforms, source.name)
    const [only] = children
    if (platforms.length === 1 && index === undefined && only !== undefined) {
      return { descriptor: only, bytes: await read(only) }
    }
    await all(children.map(async (child) => copyNode(child, undefined, [], 1)))
    return index === 'sparse' ? 'sparse' : rewriteIndex(bytes, descriptor, children, hash)
  }

  return {
    seen,
    async copyRoot() {
      const { reference } = from
      const call = { signal, onRetry: retry(undefined) }
      const root = await onSide(
        'source',
        source.readManifest === undefined
          ? source.resolve(reference, call).then(async (descriptor) => ({ descriptor, bytes: await read(descriptor) }))
          : source.readManifest(reference, call),
      )
      const { tags = [] } = to
      const chosen = await choose(root)
      if (chosen === 'sparse') {
        found('manifest', root.descriptor)
        await put(root.descriptor, root.bytes, tags)
        done('manifest', root.descriptor, 'copied')
        seen.add(root.descriptor.digest)
        return root.descriptor
      }
      await copyNode(chosen.descriptor, chosen.bytes, tags, 0)
      return chosen.descriptor
    },
    copy: async (descriptor, bytes, tags = []) => copyNode(descriptor, bytes, tags, 0),
  }
}

export const parseOn = (side: 'source', bytes: Uint8Array, { mediaType }: Descriptor): Manifest => {
  try {
    return parseManifest(bytes, mediaType)
  } catch (error) {
    throw new ClientError('invalid-content', (error as Error).message, { side, cause: error })
  }
}
