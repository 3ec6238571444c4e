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
import type { CallOptions, ManifestContent, ResolveOptions } from '../content/ports.ts'
import { maxManifestSize } from '../content/verify.ts'
import { ClientError, isNotFound } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { deleteScope, pullScope } from '../transport/scopes.ts'
import type { Call, Method } from '../transport/call.ts'
import { callOptions, describePlace, type Place, readAny, type RepositoryContext, withoutMirrors } from './place.ts'

/** `accept` names everything this client understands: a registry that converts must have no reason to. */
const accept = manifestMediaTypes.join(', ')

/** What a person would write. */
export const subjectOf = (place: Place, reference: string): string =>
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
  options: ResolveOptions = {},
): Promise<Descriptor> => {
  const { own } = context
  const headers = await readAny(
    placesFor(context, options),
    reading('HEAD', reference, options, own),
    async (answer) => {
      await answer.discard()
      const said = answer.headers.get('docker-content-digest')
      if (isDigest(reference) && said !== null && said !== reference && sameAlgorithm(said, reference)) {
        throw wrongDigest(subjectOf(own, reference), said)
      }
      return answer.headers
    },
  )
  const digest = headers.get('docker-content-digest')
  const size = Number(headers.get('content-length') ?? 'none')
  const mediaType = mediaTypeWithoutParameters(headers.get('content-type') ?? '')
  const named = isDigest(reference) ? reference : digest
  if (named === null || !isDigest(named) || !Number.isSafeInteger(size) || size <= 0 || mediaType === '') {
    return (await readManifest(context, reference, options)).descriptor
  }
  return { mediaType, digest: named, size }
}

const placesFor = (context: RepositoryContext, { fresh = false }: ResolveOptions): RepositoryContext =>
  fresh ? withoutMirrors(context) : context

export const sameAlgorithm = (one: string, other: Digest): boolean =>
  isDigest(one) && digestAlgorithm(one) === digestAlgorithm(other)

/** end-3: a manifest with what it is. Its digest is that of the reference, or of the bytes. */
export const readManifest = async (
  context: RepositoryContext,
  reference: string,
  options: ResolveOptions = {},
): Promise<ManifestContent> => {
  const subject = subjectOf(context.own, reference)
  return readAny(placesFor(context, options), reading('GET', reference, options, context.own), async (answer) => {
    const bytes = await answer.bytes(maxManifestSize, subject)
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

export const wrongDigest = (subject: string, digest: string): ClientError =>
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
