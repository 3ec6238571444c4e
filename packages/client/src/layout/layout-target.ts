import type { Descriptor, Digest, HashFactory } from '@stowage/oci'
import { bytesContent, type Content } from '../content/content.ts'
import type { CallOptions, PutBlobOptions, Target } from '../content/ports.ts'
import { verified } from '../content/verify.ts'
import { ClientError, isClientError } from '../errors.ts'
import { interruptible, throwIfAborted } from '../content/interrupt.ts'
import { isListed, listManifest, nameManifest, unlistManifest, unnameManifest } from './layout-changes.ts'
import { createLayoutGraph, descriptorsOf } from './layout-graph.ts'
import type { LayoutIndex } from './layout-index.ts'
import { findNamed, isSameName } from './layout-names.ts'
import { createLayoutSource, readManifest } from './layout-source.ts'
import type { LayoutStore } from './layout-store.ts'
import { checkManifest, checkName } from './manifest-check.ts'
import { factsOf, type ManifestFacts } from './manifest-facts.ts'
import { digestTag, only } from './resolve-name.ts'

/**
 * An image layout (image-spec, "OCI Image Layout") as a target, whatever keeps it.
 *
 * `index.json` lists what has a name, and what has a subject: nobody would find that otherwise. What was put without either
 * is listed at `finish()`, unless it belongs to an index. Names are tags, or references with a tag as podman writes them;
 * `resolveName` and `findNamed` say what a name means.
 */
export const createLayoutTarget = (store: LayoutStore, { hash }: { readonly hash: HashFactory }): Target => {
  const graph = createLayoutGraph((descriptor, options) => readManifest(store, hash, descriptor, options))
  const source = createLayoutSource(store, hash, graph)
  /** Blobs whose bytes were seen to be right in this session. */
  const whole = new Set<Digest>()
  /** Manifests that were put in this session, and those of them that are listed nowhere yet. */
  const put = new Map<Digest, ManifestFacts>()
  const unlisted = new Map<Digest, Descriptor>()

  /** A blob of the right length may still be damaged. Whoever puts it has the bytes that mend it. */
  const isWhole = async (descriptor: Descriptor, options: CallOptions): Promise<boolean> => {
    if (whole.has(descriptor.digest)) return (await store.blobSize(descriptor.digest)) === descriptor.size
    if (!(await source.hasBlob(descriptor, options))) return false
    try {
      for await (const _ of source.getBlob(descriptor, options)) continue
      return true
    } catch (error) {
      if (isClientError(error, 'digest-mismatch')) return false
      throw error
    }
  }

  const write = async (descriptor: Descriptor, content: Content, options: PutBlobOptions): Promise<void> => {
    const { digest } = descriptor
    const { signal, onProgress } = options
    const chunks = interruptible(content.open(signal === undefined ? {} : { signal }), signal)
    const subject = `${store.name}@${digest}`
    await store.writeBlob(digest, counted(verified(chunks, { descriptor, hash, subject }), onProgress))
    whole.add(digest)
  }

  const nameIt = (descriptor: Descriptor, names: readonly string[], options: CallOptions): Promise<void> =>
    store.changeIndex(async (index) => {
      const moved = index.entries.filter((entry) =>
        entry.names.some((one) => names.some((name) => isSameName(name, one))),
      )
      const stay = new Set<Digest>()
      for (const entry of moved) {
        if (await graph.isReferrer(entry.descriptor, options)) stay.add(entry.descriptor.digest)
      }
      return names.reduce((all, name) => nameManifest(all, descriptor, name, (digest) => stay.has(digest)), index)
    })

  /** Lists what was put without a name and belongs to no index. */
  const listRoots = async (index: LayoutIndex, options: CallOptions): Promise<LayoutIndex> => {
    const parts = new Set([...put.values()].flatMap(({ manifests }) => manifests.map(({ digest }) => digest)))
    const roots = [...unlisted.values()].filter(({ digest }) => !parts.has(digest) && !isListed(index, digest))
    // Only for what has no index of this session is all of the layout looked through.
    if (roots.length === 0) return index
    for await (const { descriptor } of graph.walk(descriptorsOf(index), options)) parts.add(descriptor.digest)
    return roots.filter(({ digest }) => !parts.has(digest)).reduce(listManifest, index)
  }

  /** Whether an index in the layout lists it. What hangs on a digest tag is no index that anybody pulls. */
  const isPart = async (index: LayoutIndex, digest: Digest, options: CallOptions): Promise<boolean> => {
    const roots = index.entries.filter(({ names }) => !names.some((name) => digestTag.test(name)))
    const descriptors = roots.map(({ descriptor }) => descriptor)
    for await (const { manifests } of graph.walk(descriptors, options)) {
      if (manifests.some((part) => part.digest === digest)) return true
    }
    return false
  }

  return {
    ...source,

    async putBlob(descriptor, content, options = {}) {
      throwIfAborted(options.signal)
      if (options.absent !== true && (await isWhole(descriptor, options))) {
        whole.add(descriptor.digest)
        return 'existing'
      }
      await write(descriptor, content, options)
      return 'uploaded'
    },

    async putManifest(descriptor, bytes, options = {}) {
      throwIfAborted(options.signal)
      const { tags = [] } = options
      const manifest = checkManifest(store, hash, descriptor, bytes)
      for (const tag of tags) checkName(store, tag)
      await write(descriptor, bytesContent(bytes), options)
      const facts = factsOf(manifest, descriptor)
      graph.remember(facts)
      put.set(descriptor.digest, facts)
      if (tags.length > 0) await nameIt(descriptor, tags, options)
      else if (facts.subject !== undefined) await store.changeIndex((index) => listManifest(index, descriptor))
      else unlisted.set(descriptor.digest, descriptor)
    },

    async tag(descriptor, tag, options = {}) {
      throwIfAborted(options.signal)
      checkName(store, tag)
      if (!(await source.hasManifest(descriptor, options))) throw notFound(store, `no manifest ${descriptor.digest}`)
      await nameIt(descriptor, [tag], options)
    },

    async deleteTag(tag, { signal } = {}) {
      throwIfAborted(signal)
      await store.changeIndex((index) => {
        const found = findNamed(index.entries, tag)
        if (found.length === 0) throw notFound(store, `no "${tag}"`)
        only(found, tag, store.name)
        return unnameManifest(index, tag)
      })
    },

    async deleteManifest(digest, options = {}) {
      throwIfAborted(options.signal)
      let stays = false
      await store.changeIndex(async (index) => {
        const listed = isListed(index, digest)
        if (!listed) await source.resolve(digest, options)
        const rest = unlistManifest(index, digest)
        stays = await isPart(rest, digest, options)
        if (stays && !listed) throw inUse(store, digest)
        return rest
      })
      unlisted.delete(digest)
      if (stays) return
      put.delete(digest)
      await store.removeBlob(digest)
      whole.delete(digest)
      graph.forget(digest)
    },

    async finish(options = {}) {
      throwIfAborted(options.signal)
      if (unlisted.size > 0) await store.changeIndex((index) => listRoots(index, options))
      unlisted.clear()
      await store.finish(options)
    },
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onProgress: PutBlobOptions['onProgress'],
): AsyncIterable<Uint8Array> {
  let sent = 0
  for await (const chunk of chunks) {
    yield chunk
    sent += chunk.byteLength
    onProgress?.(sent)
  }
}

const notFound = (store: LayoutStore, what: string): ClientError =>
  new ClientError('not-found', `${store.name} has ${what}.`, { subject: store.name })

const inUse = (store: LayoutStore, digest: Digest): ClientError =>
  new ClientError('unsupported', `${digest} belongs to an index in ${store.name}.`, {
    subject: `${store.name}@${digest}`,
    hint: 'Remove the index first.',
  })
