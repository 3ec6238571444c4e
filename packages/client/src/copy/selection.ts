import {
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestOf,
  type HashFactory,
  type Index,
  type Platform,
} from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { describePlatform, matchesPlatform } from '../platform.ts'

/** What stays of an index when only some platforms are wanted. */
export interface Selection {
  /** The children that are copied. */
  readonly children: readonly Descriptor[]
  /** The index that names just those; undefined when it is the one there was. */
  readonly rewritten: { readonly descriptor: Descriptor; readonly bytes: Uint8Array } | undefined
}

/** BuildKit hangs attestations into the index as images of no platform; this annotation says which image each is about. */
const attestationSubject = 'vnd.docker.reference.digest'

/**
 * The children of an index for these platforms, with the attestations about them.
 *
 * @throws {ClientError} `not-found` when the index has nothing for one of the platforms
 */
export const selectChildren = (
  index: Index,
  platforms: readonly Platform[],
  subject: string,
): readonly Descriptor[] => {
  const chosen = new Set<Digest>()
  for (const platform of platforms) {
    const matches = index.manifests.filter((child) => matchesPlatform(child.platform, platform))
    if (matches.length === 0) {
      const there = index.manifests.flatMap((child) =>
        child.platform === undefined ? [] : [describePlatform(child.platform)],
      )
      throw new ClientError('not-found', `${subject} has nothing for ${describePlatform(platform)}.`, {
        subject,
        hint: `There is ${[...new Set(there)].join(', ') || 'no child with a platform'}.`,
      })
    }
    for (const { digest } of matches) chosen.add(digest)
  }
  return index.manifests.filter(
    ({ digest, annotations }) => chosen.has(digest) || chosen.has((annotations?.[attestationSubject] ?? '') as Digest),
  )
}

/** The same index with only these children: members that nobody here knows stay. */
export const rewriteIndex = (
  original: Uint8Array,
  descriptor: Descriptor,
  children: readonly Descriptor[],
  hash: HashFactory,
): { readonly descriptor: Descriptor; readonly bytes: Uint8Array } => {
  const kept = new Set<string>(children.map(({ digest }) => digest))
  const value = JSON.parse(new TextDecoder().decode(original)) as { manifests: { digest: string }[] }
  const manifests = value.manifests.filter(({ digest }) => kept.has(digest))
  const bytes = new TextEncoder().encode(JSON.stringify({ ...value, manifests }))
  const digest = digestOf(bytes, hash, digestAlgorithm(descriptor.digest))
  return { bytes, descriptor: { mediaType: descriptor.mediaType, digest, size: bytes.byteLength } }
}
