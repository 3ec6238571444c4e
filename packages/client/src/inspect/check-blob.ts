import {
  type Descriptor,
  type Digest,
  digestOf,
  digestAlgorithm,
  type HashFactory,
  isNonDistributableLayer,
} from '@stowage/oci'
import type { CallOptions, Source } from '../content/ports.ts'
import { ClientError, isClientError, isNotFound } from '../errors.ts'
import type { Repository } from '../registry/repository.ts'
import { readLayer } from './check-layer.ts'
import { compressionOf, knowsAllOfGzip } from './decompress.ts'
import type { Finding, FindingCode, FindingRole } from './finding.ts'
import { isOfContent } from './walk-manifests.ts'

/** A blob of an image. */
export interface BlobPart {
  readonly role: FindingRole
  readonly descriptor: Descriptor
  /** The first place where it stands. */
  readonly where: string
  /** What configs say of its bytes before compression. */
  readonly diffIds: ReadonlySet<Digest>
}

/** How a blob is looked at. */
export interface CheckOptions {
  /** Only whether it is there, and as long as it must be. */
  readonly fast: boolean
  readonly hash: HashFactory
  readonly signal: AbortSignal
}

/** @throws {ClientError} what has nothing to do with the content */
export const checkBlob = async (source: Source, part: BlobPart, options: CheckOptions): Promise<readonly Finding[]> => {
  const { role, descriptor, where } = part
  const found = { role, descriptor, where }
  try {
    if (options.fast) await look(source, descriptor, options)
    const problems = options.fast ? [] : await read(source, part, options)
    const embedded = embeddedProblem(descriptor, options.hash)
    const all = embedded === undefined ? problems : [...problems, embedded]
    return all.length === 0 ? [{ severity: 'ok', ...found }] : all.map((problem) => ({ ...problem, ...found }))
  } catch (error) {
    if (!isOfContent(error)) throw error
    // "SHOULD NOT upload layers tagged with this media type": who pulls has their own addresses.
    if (isNotFound(error) && isNonDistributableLayer(descriptor.mediaType) && descriptor.urls !== undefined) {
      return [{ severity: 'note', code: 'missing', message: 'is to be had from its own addresses only', ...found }]
    }
    return [{ severity: 'problem', code: codeOf(error), message: error.message, ...found }]
  }
}

/** What an error about content means. */
export const codeOf = (error: Error): FindingCode => {
  if (isNotFound(error)) return 'missing'
  return isClientError(error, 'digest-mismatch') ? 'damaged' : 'invalid'
}

interface BlobProblem {
  readonly severity: 'problem' | 'note'
  readonly code: FindingCode
  readonly message: string
}

const look = async (source: Source, descriptor: Descriptor, { signal }: CallOptions): Promise<void> => {
  const call = signal === undefined ? {} : { signal }
  const subject = `${source.name}@${descriptor.digest}`
  const { describeBlob } = source as Partial<Repository>
  if (describeBlob === undefined) {
    if (await source.hasBlob(descriptor, call)) return
    throw new ClientError('not-found', `${subject} is not there, or not as long as it must be.`, { subject })
  }
  const { size } = await describeBlob(descriptor.digest, call)
  if (size === descriptor.size) return
  throw new ClientError('digest-mismatch', `${subject} must have ${descriptor.size} bytes, and has ${size}.`, {
    subject,
  })
}

const read = async (
  source: Source,
  { role, descriptor, diffIds }: BlobPart,
  { hash, signal }: CheckOptions,
): Promise<readonly BlobProblem[]> => {
  const blob = source.getBlob(descriptor, { signal })
  const compression = role === 'layer' && diffIds.size > 0 ? compressionOf(descriptor.mediaType) : undefined
  if (compression === undefined) {
    for await (const _ of blob) continue
    return []
  }
  const content = await readLayer(blob, compression, [...diffIds], hash)
  if (content.kind === 'unread' || (content.kind === 'broken' && compression === 'gzip' && !knowsAllOfGzip)) {
    return [
      {
        severity: 'note',
        code: 'unchecked',
        message: `is whole; what is inside was not looked at: no ${compression} here`,
      },
    ]
  }
  if (content.kind === 'broken') {
    return [{ severity: 'problem', code: 'invalid', message: `is no good ${compression}: ${content.message}` }]
  }
  const wrong = [...diffIds].filter((diffId) => !content.digests.includes(diffId))
  return wrong.map((diffId) => ({
    severity: 'problem',
    code: 'inconsistent',
    message: `has other bytes inside than its config says: ${content.digests.join(', ')}, not ${diffId}`,
  }))
}

/** A reader may take what a descriptor carries instead of the blob, so both must be the same. */
export const embeddedProblem = ({ data, digest }: Descriptor, hash: HashFactory): BlobProblem | undefined => {
  if (data === undefined) return undefined
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
  if (digestOf(bytes, hash, digestAlgorithm(digest)) === digest) return undefined
  return { severity: 'problem', code: 'inconsistent', message: 'is not what the member "data" of its descriptor holds' }
}
