import {
  type Descriptor,
  digestAlgorithm,
  digestOf,
  isDigest,
  isTag,
  manifestMediaTypes,
  mediaTypeWithoutParameters,
  type Digest,
  safeParseManifest,
} from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { CallOptions, ManifestContent, PutManifestOptions } from '../content/ports.ts'
import { maxManifestSize, readAll } from '../content/verify.ts'
import { ClientError, isNotFound } from '../errors.ts'
import type { Answer } from '../transport/exchange.ts'
import { deleteScope, pullScope, pushScope } from '../transport/scopes.ts'
import type { Call, Method } from '../transport/transport.ts'
import { callOptions, describePlace, type Place, readAny, type RepositoryContext } from './place.ts'
import { addReferrer } from './referrers-tag-schema.ts'

/** `accept` names everything this client understands: a registry that converts must have no reason to. */
const accept = manifestMediaTypes.join(', ')

/** What a person would write. */
const subjectOf = (place: Place, reference: string): string =>
  `${describePlace(place)}${isDigest(reference) ? '@' : ':'}${reference}`

const checkReference = (reference: string): void => {
  if (isDigest(reference) || isTag(reference)) return
  throw new ClientError(
    'usage',
    `${JSON.stringify(reference.slice(0, 200))} is neither a tag nor a digest. A tag has up to 128 of A-Z a-z 0-9 . _ -`,
  )
}

const reading = (method: Method, reference: string, options: CallOptions, own: Place) => {
  checkReference(reference)
  return ({ registry, name }: Place): Call => ({
    registry,
    repository: name,
    scopes: [pullScope(name)],
    method,
    target: `/v2/${name}/manifests/${reference}`,
    headers: { accept },
    expect: [200],
    subject: subjectOf(own, reference),
    ...callOptions(options),
  })
}

/** end-3 by HEAD. A registry that leaves out what a descriptor needs is asked for the whole. */
export const resolveManifest = async (
  context: RepositoryContext,
  reference: string,
  options: CallOptions = {},
): Promise<Descriptor> => {
  const headers = await readAny(context, reading('HEAD', reference, options, context.own), async (answer) => {
    await answer.discard()
    return answer.headers
  })
  const digest = headers.get('docker-content-digest')
  const size = Number(headers.get('content-length') ?? 'none')
  const mediaType = mediaTypeWithoutParameters(headers.get('content-type') ?? '')
  if (isDigest(reference) && digest !== null && digest !== reference && sameAlgorithm(digest, reference)) {
    throw wrongDigest(subjectOf(context.own, reference), digest)
  }
  const named = isDigest(reference) ? reference : digest
  if (named === null || !isDigest(named) || !Number.isSafeInteger(size) || size <= 0 || mediaType === '') {
    return (await readManifest(context, reference, options)).descriptor
  }
  return { mediaType, digest: named, size }
}

const sameAlgorithm = (one: string, other: Digest): boolean =>
  isDigest(one) && digestAlgorithm(one) === digestAlgorithm(other)

/** end-3: a manifest with what it is. Its digest is that of the reference, or of the bytes. */
export const readManifest = async (
  context: RepositoryContext,
  reference: string,
  options: CallOptions = {},
): Promise<ManifestContent> => {
  const subject = subjectOf(context.own, reference)
  return readAny(context, reading('GET', reference, options, context.own), async (answer) => {
    const bytes = await readAll(answer.body, maxManifestSize, subject)
    const announced = answer.headers.get('docker-content-digest')
    const wanted = isDigest(reference) ? reference : announced !== null && isDigest(announced) ? announced : undefined
    const digest = digestOf(bytes, context.hash, wanted === undefined ? 'sha256' : digestAlgorithm(wanted))
    if (wanted !== undefined && wanted !== digest) throw wrongDigest(subject, digest)
    return { bytes, descriptor: { mediaType: mediaTypeOf(answer, bytes), digest, size: bytes.byteLength } }
  })
}

/** What a manifest says of itself goes before what a registry says of it: the digest covers the former. */
const mediaTypeOf = ({ headers }: Answer, bytes: Uint8Array): string => {
  const header = headers.get('content-type') ?? undefined
  const parsed = safeParseManifest(bytes)
  return parsed.ok ? parsed.value.mediaType : mediaTypeWithoutParameters(header ?? 'application/octet-stream')
}

const wrongDigest = (subject: string, digest: string): ClientError =>
  new ClientError('digest-mismatch', `${subject}: the registry gave another manifest, ${digest}.`, {
    subject,
    hint: 'What is stored there is damaged, or was altered on the way. Push it again from where it is whole.',
  })

export const hasManifest = async (
  context: RepositoryContext,
  { digest }: Descriptor,
  options: CallOptions = {},
): Promise<boolean> => {
  const { transport, own } = context
  try {
    await (await transport.call(reading('HEAD', digest, options, own)(own))).discard()
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/**
 * end-7. Under its tag, so that the manifest and its name appear together; further tags are set by pushing it again.
 *
 * "If the subject field is set and the registry does not respond with OCI-Subject, the client MUST update the referrers tag."
 */
export const putManifest = async (
  context: RepositoryContext,
  descriptor: Descriptor,
  bytes: Uint8Array,
  options: PutManifestOptions = {},
): Promise<void> => {
  const { transport, own } = context
  const { digest, mediaType, size } = descriptor
  const actual = digestOf(bytes, context.hash, digestAlgorithm(digest))
  if (actual !== digest || size !== bytes.byteLength) {
    throw new ClientError(
      'digest-mismatch',
      `The manifest to push is ${actual} of ${bytes.byteLength} bytes, not ${digest} of ${size}.`,
    )
  }
  const { tags = [] } = options
  const references = tags.length === 0 ? [digest] : tags
  let indexed = true
  for (const reference of references) {
    checkReference(reference)
    const subject = subjectOf(own, reference)
    const answer = await transport.call({
      registry: own.registry,
      repository: own.name,
      scopes: [pushScope(own.name)],
      method: 'PUT',
      target: `/v2/${own.name}/manifests/${reference}`,
      headers: { 'content-type': mediaType },
      content: bytesContent(bytes),
      expect: [201],
      subject,
      ...callOptions(options),
    })
    const stored = answer.headers.get('docker-content-digest')
    indexed = answer.headers.has('oci-subject')
    await answer.discard()
    // A registry may name it by an algorithm of its own choice, but not by another digest of ours.
    if (stored !== null && stored !== digest && sameAlgorithm(stored, digest)) throw wrongDigest(subject, stored)
  }
  const { referrers } = transport.host(own.registry)
  if (referrers === 'api' || (indexed && referrers === 'auto')) return
  // The registry has taken it: where this client does not understand it, it has no subject that anybody here could list.
  const parsed = safeParseManifest(bytes, mediaType)
  const subject = parsed.ok ? parsed.value.subject : undefined
  if (parsed.ok && subject !== undefined) await addReferrer(context, descriptor, parsed.value, subject.digest, options)
}

/** end-9. */
export const deleteByReference = async (
  { transport, own }: RepositoryContext,
  reference: string,
  options: CallOptions = {},
): Promise<void> => {
  checkReference(reference)
  const answer = await transport.call({
    registry: own.registry,
    repository: own.name,
    scopes: [deleteScope(own.name)],
    method: 'DELETE',
    target: `/v2/${own.name}/manifests/${reference}`,
    expect: [200, 202, 204],
    subject: subjectOf(own, reference),
    ...callOptions(options),
  })
  await answer.discard()
}
