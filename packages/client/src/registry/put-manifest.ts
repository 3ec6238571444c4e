import { type Descriptor, digestAlgorithm, digestOf, isTag, safeParseManifest } from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { PutManifestOptions } from '../content/ports.ts'
import { ClientError, isNotFound } from '../errors.ts'
import { pushScope } from '../transport/scopes.ts'
import { resolveManifest, sameAlgorithm, subjectOf, wrongDigest } from './manifests.ts'
import { callOptions, describePlace, type RepositoryContext } from './place.ts'
import { addReferrer } from './referrers-tag-schema.ts'

/** "SHOULD support pushing at least 10 tags per request." */
const tagsOfOneRequest = 10

/**
 * end-7. Under its tag, so that the manifest and its name appear together; further tags are set by pushing it again.
 *
 * "When pushing a manifest with the `subject` field and the `OCI-Subject` header was not set, the client MUST:" put it into the list
 * under the referrers tag.
 *
 * @throws {ClientError} `usage`, `digest-mismatch`, `unsupported`: a tag cannot name the manifest by a digest of this algorithm
 */
export const putManifest = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: PutManifestOptions = {},
): Promise<void> => {
  const { tags = [] } = options
  checkTags(tags)
  checkBytes(context, descriptor, bytes)
  const indexed =
    tags.length > 0 && digestAlgorithm(descriptor.digest) !== 'sha256'
      ? await putByDigest(context, descriptor, bytes, options)
      : await putUnderEach(context, descriptor, bytes, options)
  const { referrers } = context.transport.host(context.own.registry)
  if (referrers === 'api' || (indexed && referrers === 'auto')) return
  // The registry has taken it: where this client does not understand it, it has no subject that anybody here could list.
  const parsed = safeParseManifest(bytes, descriptor.mediaType)
  const subject = parsed.ok ? parsed.value.subject : undefined
  if (parsed.ok && subject !== undefined) await addReferrer(context, descriptor, parsed.value, subject.digest, options)
}

/** Before the first request: half of the tags set is neither the old state nor the new one. */
const checkTags = (tags: readonly string[]): void => {
  for (const tag of tags as readonly unknown[]) {
    if (typeof tag === 'string' && isTag(tag)) continue
    const text = `${JSON.stringify(String(tag).slice(0, 200))} is no tag. A tag has up to 128 of A-Z a-z 0-9 . _ -`
    throw new ClientError('usage', text)
  }
}

const checkBytes = ({ hash }: RepositoryContext, { digest, size }: Descriptor, bytes: Uint8Array): void => {
  const actual = digestOf(bytes, hash, digestAlgorithm(digest))
  if (actual === digest && size === bytes.byteLength) return
  throw new ClientError(
    'digest-mismatch',
    `The manifest to push is ${actual} of ${bytes.byteLength} bytes, not ${digest} of ${size}.`,
  )
}

/** @returns whether the registry has put it into the list of its subject */
const putUnderEach = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: PutManifestOptions,
): Promise<boolean> => {
  const { tags = [] } = options
  let indexed = true
  for (const reference of tags.length === 0 ? [descriptor.digest] : tags) {
    const headers = await putOnce(context, descriptor, bytes, { reference, options })
    indexed = headers.has('oci-subject')
  }
  return indexed
}

/**
 * end-7b. Pushed under a tag, a manifest gets the digest that the registry computes, which is another name. Pushed by digest it has
 * the right one, and the tags with it: "MUST include an `OCI-Tag` response header […] for each accepted tag."
 *
 * @returns whether the registry has put it into the list of its subject
 */
const putByDigest = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: PutManifestOptions,
): Promise<boolean> => {
  const { digest } = descriptor
  const { tags = [] } = options
  let indexed = true
  for (let at = 0; at < tags.length; at += tagsOfOneRequest) {
    const some = tags.slice(at, at + tagsOfOneRequest)
    const query = some.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')
    const headers = await putOnce(context, descriptor, bytes, { reference: digest, query, options })
    indexed = headers.has('oci-subject')
    const accepted = new Set((headers.get('oci-tag') ?? '').split(',').map((tag) => tag.trim()))
    for (const tag of some) if (!accepted.has(tag)) await requireTag(context, descriptor, tag, options)
  }
  return indexed
}

/** @throws {ClientError} `unsupported` where the tag does not name the manifest by this digest */
const requireTag = async (
  context: RepositoryContext,
  { digest }: Descriptor,
  tag: string,
  options: PutManifestOptions,
): Promise<void> => {
  try {
    const named = await resolveManifest(context, tag, { ...options, fresh: true })
    if (named.digest === digest) return
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const subject = subjectOf(context.own, tag)
  const text = `${subject}: the registry has the manifest as ${digest}, and cannot give that a tag.`
  throw new ClientError('unsupported', text, {
    subject,
    hint: `Name it by its digest, ${describePlace(context.own)}@${digest}, or build the image with sha256 digests.`,
  })
}

interface Put {
  readonly reference: string
  readonly query?: string
  readonly options: PutManifestOptions
}

const putOnce = async (
  { transport, own }: RepositoryContext,
  { digest, mediaType }: Descriptor,
  bytes: Uint8Array,
  { reference, query, options }: Put,
): Promise<Headers> => {
  const subject = subjectOf(own, reference)
  const answer = await transport.call({
    registry: own.registry,
    repository: own.name,
    scopes: [pushScope(own.name)],
    method: 'PUT',
    target: `/v2/${own.name}/manifests/${reference}${query === undefined ? '' : `?${query}`}`,
    headers: { 'content-type': mediaType },
    content: bytesContent(bytes),
    expect: [201],
    subject,
    ...callOptions(options),
  })
  const stored = answer.headers.get('docker-content-digest')
  await answer.discard()
  // A registry may name it by an algorithm of its own choice, but not by another digest of ours.
  if (stored !== null && stored !== digest && sameAlgorithm(stored, digest)) throw wrongDigest(subject, stored)
  return answer.headers
}
