import { type Descriptor, type Digest, type HashFactory, isDigest, safeParseManifest } from '@stowage/oci'
import { onePage, toPages } from '../content/pages.ts'
import type { CallOptions, Source } from '../content/ports.ts'
import { maxManifestSize, readAll, verified } from '../content/verify.ts'
import { ClientError, isClientError } from '../errors.ts'
import { interruptible, throwIfAborted } from '../content/interrupt.ts'
import type { LayoutGraph } from './layout-graph.ts'
import { plainDescriptor } from './layout-index.ts'
import type { LayoutStore } from './layout-store.ts'
import { namesOf, resolveName } from './resolve-name.ts'

/** The reading half of a layout, whatever keeps it. */
export const createLayoutSource = (store: LayoutStore, hash: HashFactory, graph: LayoutGraph): Source => {
  const has: Source['hasBlob'] = async ({ digest, size }, { signal } = {}) => {
    throwIfAborted(signal)
    return (await store.blobSize(digest)) === size
  }

  return {
    name: store.name,

    async resolve(reference, options = {}) {
      throwIfAborted(options.signal)
      const index = await store.readIndex(options)
      if (!isDigest(reference)) {
        return resolveName(index, reference, store.name, (descriptor) => graph.isReferrer(descriptor, options))
      }
      const listed = index.entries.find(({ descriptor }) => descriptor.digest === reference)
      return listed === undefined ? unlisted(store, hash, reference, options) : plainDescriptor(listed.descriptor)
    },

    getManifest: (descriptor, options) => readManifest(store, hash, descriptor, options),

    getBlob: (descriptor, { signal } = {}) =>
      verified(interruptible(store.readBlob(descriptor.digest, signal === undefined ? {} : { signal }), signal), {
        descriptor,
        hash,
        subject: `${store.name}@${descriptor.digest}`,
      }),

    hasManifest: has,
    hasBlob: has,

    tags: ({ last, pageSize, signal } = {}) =>
      toPages(async function* () {
        const options = signal === undefined ? {} : { signal }
        const all = namesOf(await store.readIndex(options)).filter((name) => last === undefined || name > last)
        const size = Math.max(1, pageSize ?? all.length)
        for (let at = 0; at === 0 || at < all.length; at += size) {
          throwIfAborted(signal)
          yield { items: all.slice(at, at + size), more: at + size < all.length }
        }
      }),

    referrers: (subject, { artifactType, signal } = {}) =>
      onePage(async () => {
        const options = signal === undefined ? {} : { signal }
        const all = await graph.referrers(await store.readIndex(options), subject, options)
        return all.filter((descriptor) => artifactType === undefined || descriptor.artifactType === artifactType)
      }),

    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

export const readManifest = async (
  store: LayoutStore,
  hash: HashFactory,
  descriptor: Descriptor,
  { signal }: CallOptions = {},
): Promise<Uint8Array> => {
  throwIfAborted(signal)
  const subject = `${store.name}@${descriptor.digest}`
  // Before a byte is read: the size comes from whoever wrote the descriptor.
  if (descriptor.size > maxManifestSize) {
    throw new ClientError('too-large', `${subject} has ${descriptor.size} bytes, too many for a manifest.`, { subject })
  }
  return readAll(verified(store.readBlob(descriptor.digest), { descriptor, hash, subject }), maxManifestSize, subject)
}

/** A manifest that `index.json` does not list, such as that of one platform: what it is, it says itself. */
const unlisted = async (
  store: LayoutStore,
  hash: HashFactory,
  digest: Digest,
  options: CallOptions,
): Promise<Descriptor> => {
  const subject = `${store.name}@${digest}`
  const size = await store.blobSize(digest)
  if (size === undefined) throw new ClientError('not-found', `${store.name} has no manifest ${digest}.`, { subject })
  const found = { mediaType: 'application/octet-stream', digest, size }
  try {
    const parsed = safeParseManifest(await readManifest(store, hash, found, options))
    if (parsed.ok) return { ...found, mediaType: parsed.value.mediaType }
  } catch (error) {
    if (!isClientError(error, 'too-large')) throw error
  }
  throw new ClientError('not-found', `${store.name} has ${digest}, but that is no manifest.`, { subject })
}
