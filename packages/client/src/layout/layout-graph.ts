import { type Descriptor, type Digest, isManifestMediaType, referrersTag, safeParseManifest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { isClientError, isNotFound } from '../errors.ts'
import type { LayoutIndex } from './layout-index.ts'
import { factsOf, type ManifestFacts } from './manifest-facts.ts'

/** How the manifests of a layout hang together. */
export interface LayoutGraph {
  /** Every manifest that can be reached from these, once. One that is not there, or that nobody understands, is passed over. */
  walk(roots: readonly Descriptor[], options?: CallOptions): AsyncIterable<ManifestFacts>
  /** What has this manifest as its subject, as lists of referrers show it. */
  referrers(index: LayoutIndex, subject: Digest, options?: CallOptions): Promise<readonly Descriptor[]>
  /** Whether it has a subject; not of one that cannot be read. */
  isReferrer(descriptor: Descriptor, options?: CallOptions): Promise<boolean>
  /** What is known of a manifest, without reading it again. */
  remember(facts: ManifestFacts): void
  forget(digest: Digest): void
}

/** @param read The verified bytes of a manifest. */
export const createLayoutGraph = (
  read: (descriptor: Descriptor, options?: CallOptions) => Promise<Uint8Array>,
): LayoutGraph => {
  const known = new Map<Digest, ManifestFacts>()
  let scan: { readonly index: LayoutIndex; readonly bySubject: Map<Digest, Descriptor[]> } | undefined

  const learn = async (descriptor: Descriptor, options?: CallOptions): Promise<ManifestFacts | undefined> => {
    const before = known.get(descriptor.digest)
    if (before !== undefined) return before
    try {
      const parsed = safeParseManifest(await read(descriptor, options), descriptor.mediaType)
      if (!parsed.ok) return undefined
      const facts = factsOf(parsed.value, descriptor)
      known.set(descriptor.digest, facts)
      return facts
    } catch (error) {
      // An index need not have all its manifests. One that is damaged is another matter: it may be a signature.
      if (isNotFound(error) || isClientError(error, 'too-large')) return undefined
      throw error
    }
  }

  const walk: LayoutGraph['walk'] = async function* (roots, options) {
    const seen = new Set<Digest>()
    const queue = [...roots]
    for (const descriptor of queue) {
      if (seen.has(descriptor.digest) || !isManifestMediaType(descriptor.mediaType)) continue
      seen.add(descriptor.digest)
      const facts = await learn(descriptor, options)
      if (facts === undefined) continue
      yield facts
      queue.push(...facts.manifests)
    }
  }

  const scanned = async (index: LayoutIndex, options?: CallOptions): Promise<Map<Digest, Descriptor[]>> => {
    if (scan?.index === index) return scan.bySubject
    const bySubject = new Map<Digest, Descriptor[]>()
    for await (const { subject, descriptor } of walk(descriptorsOf(index), options)) {
      if (subject === undefined) continue
      const list = bySubject.get(subject) ?? []
      bySubject.set(subject, list)
      list.push(descriptor)
    }
    scan = { index, bySubject }
    return bySubject
  }

  /** What a copy from a registry without the referrers API brought along: an index under a tag made of the digest. */
  const listedUnderTag = async (
    index: LayoutIndex,
    subject: Digest,
    options?: CallOptions,
  ): Promise<readonly Descriptor[]> => {
    const tag = referrersTag(subject)
    const roots = index.entries.filter(({ names }) => names.includes(tag)).map(({ descriptor }) => descriptor)
    const found: Descriptor[] = []
    for (const root of roots) {
      const listed = (await learn(root, options))?.manifests ?? []
      for (const descriptor of listed) {
        const facts = await learn(descriptor, options)
        // What has another subject is no referrer of this one, whoever lists it: long digests may share a tag.
        if (facts !== undefined && (facts.subject ?? subject) === subject) found.push(descriptor)
      }
    }
    return found
  }

  return {
    walk,
    async referrers(index, subject, options) {
      const found = (await scanned(index, options)).get(subject) ?? []
      const digests = new Set(found.map(({ digest }) => digest))
      const listed = await listedUnderTag(index, subject, options)
      return [...found, ...listed.filter(({ digest }) => !digests.has(digest))]
    },
    async isReferrer(descriptor, options) {
      try {
        return (await learn(descriptor, options))?.subject !== undefined
      } catch (error) {
        if (isClientError(error, 'digest-mismatch')) return false
        throw error
      }
    },
    remember(facts) {
      known.set(facts.descriptor.digest, facts)
      scan = undefined
    },
    forget(digest) {
      known.delete(digest)
      scan = undefined
    },
  }
}

export const descriptorsOf = ({ entries }: LayoutIndex): readonly Descriptor[] =>
  entries.map(({ descriptor }) => descriptor)
