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

/** BuildKit hangs attestations into the index as images of no platform; this annotation says which image each is about. */
const attestationSubject = 'vnd.docker.reference.digest'

/** Children for a platform, in the order of the index. @throws {ClientError} `not-found`, naming the platforms there are */
const childrenFor = (
  { manifests }: Index,
  platform: Platform,
  subject: string,
): readonly [Descriptor, ...Descriptor[]] => {
  const [first, ...others] = manifests.filter((child) => matchesPlatform(child.platform, platform))
  if (first !== undefined) return [first, ...others]
  const there = manifests.flatMap((child) => (child.platform === undefined ? [] : [describePlatform(child.platform)]))
  throw new ClientError('not-found', `${subject} has nothing for ${describePlatform(platform)}.`, {
    subject,
    hint: `There is ${[...new Set(there)].join(', ') || 'no child with a platform'}.`,
  })
}

/** The image of an index for a platform: the first there is, as with every client. @throws {ClientError} `not-found` */
export const selectImage = (index: Index, platform: Platform, subject: string): Descriptor =>
  childrenFor(index, platform, subject)[0]

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
  const chosen = new Set<Digest>(
    platforms.flatMap((platform) => childrenFor(index, platform, subject).map(({ digest }) => digest)),
  )
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
