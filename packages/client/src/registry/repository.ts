import { type Descriptor, type Digest, isDigest, isRepositoryName, parseManifest } from '@stowage/oci'
import type { CallOptions, Target } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import { deleteBlob, describeBlob, hasBlob } from './blobs.ts'
import { deleteTag } from './delete-tag.ts'
import { blobFrom, readBlob } from './download.ts'
import { deleteByReference, hasManifest, readManifest, resolveManifest } from './manifests.ts'
import { describePlace, type RepositoryContext } from './place.ts'
import { mountBlob, putBlob } from './put-blob.ts'
import { putManifest } from './put-manifest.ts'
import { listReferrers } from './referrers.ts'
import { removeReferrer } from './referrers-tag-schema.ts'
import { listTags } from './tags.ts'
import { resumeUpload, startUpload, type Upload } from './upload.ts'

/** One repository of a registry: a `Target`, and what only a registry has. */
export interface Repository extends Target {
  readonly repository: { readonly registry: string; readonly name: string }
  readManifest: NonNullable<Target['readManifest']>
  /** What is known of a blob without reading it. @throws {ClientError} `not-found` */
  describeBlob(digest: Digest, options?: CallOptions): Promise<Descriptor>
  /** Bytes of a blob from `offset` on. Not verified: a part has no digest. */
  getBlobFrom(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    offset: number,
    options?: CallOptions,
  ): AsyncIterable<Uint8Array>
  /** @returns whether the registry could. */
  mountBlob(digest: Digest, from: string, options?: CallOptions): Promise<boolean>
  /** @throws {ClientError} `not-found`, `unsupported` (also when a manifest needs the blob) */
  deleteBlob(digest: Digest, options?: CallOptions): Promise<void>
  startUpload(options?: CallOptions): Promise<Upload>
  /** @param token `upload.token` of this repository, of now or of an earlier process. */
  resumeUpload(token: string, options?: CallOptions): Promise<Upload>
}

export const createRepository = (context: RepositoryContext): Repository => {
  const { own } = context
  const name = describePlace(own)
  return {
    name,
    repository: own,
    resolve: async (reference, options) => resolveManifest(context, reference, options),
    readManifest: async (reference, options) => readManifest(context, reference, options),
    async getManifest(descriptor, options) {
      checkDigest(descriptor.digest)
      const { bytes } = await readManifest(context, descriptor.digest, options)
      if (bytes.byteLength !== descriptor.size) {
        const text = `${name}@${descriptor.digest} has ${bytes.byteLength} bytes, and its descriptor says ${descriptor.size}.`
        throw new ClientError('digest-mismatch', text, { subject: `${name}@${descriptor.digest}` })
      }
      return bytes
    },
    getBlob: (descriptor, options) => checkedFirst(descriptor.digest, readBlob(context, descriptor, options)),
    getBlobFrom: (descriptor, offset, options) =>
      checkedFirst(descriptor.digest, blobFrom(context, descriptor, offset, options)),
    describeBlob: async (digest, options) => describeBlob(context, checkDigest(digest), options),
    hasManifest: async (descriptor, options) => hasManifest(context, checkDescriptor(descriptor), options),
    hasBlob: async (descriptor, options) => hasBlob(context, checkDescriptor(descriptor), options),
    tags: (options) => listTags(context, options),
    referrers: (subject, options) => listReferrers(context, checkDigest(subject), options),
    putBlob: async (descriptor, content, options) => putBlob(context, checkDescriptor(descriptor), content, options),
    mountBlob: async (digest, from, options) =>
      mountBlob(context, { digest: checkDigest(digest) }, checkName(from), options),
    deleteBlob: async (digest, options) => deleteBlob(context, checkDigest(digest), options),
    startUpload: async (options) => startUpload(context, options),
    resumeUpload: async (token, options) => resumeUpload(context, token, options),
    putManifest: async (descriptor, bytes, options) =>
      putManifest(context, checkDescriptor(descriptor), bytes, options),
    async tag(descriptor, tag, options) {
      const bytes = await this.getManifest(descriptor, options)
      await putManifest(context, descriptor, bytes, { ...options, tags: [tag] })
    },
    deleteTag: async (tag, options) => deleteTag(context, tag, options),
    async deleteManifest(digest, options) {
      checkDigest(digest)
      const subject = await subjectOf(context, digest, options)
      await deleteByReference(context, digest, options)
      if (subject !== undefined) await removeReferrer(context, digest, subject, options)
    },
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Types do not hold JavaScript: what is no digest would be asked for as something else. @throws {ClientError} `usage` */
const checkDigest = (digest: Digest): Digest => {
  if (isDigest(digest)) return digest
  const text = JSON.stringify(String(digest).slice(0, 200))
  throw new ClientError(
    'usage',
    `${text} is no digest. One is written sha256: and 64 digits of 0-9 a-f, or with sha384 or sha512.`,
  )
}

const checkDescriptor = (descriptor: Descriptor): Descriptor => {
  checkDigest(descriptor.digest)
  return descriptor
}

/** @throws {ClientError} `usage` */
const checkName = (name: string): string => {
  if (isRepositoryName(name)) return name
  throw new ClientError('usage', `${JSON.stringify(name.slice(0, 200))} is not the name of a repository.`)
}

/** What is read throws while it is read. */
async function* checkedFirst(digest: Digest, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  checkDigest(digest)
  yield* chunks
}

/**
 * "When deleting an image manifest that contains a `subject` field, and the referrers API returns a 404, clients SHOULD:" take it out
 * of the list. With the API there is nothing to do, and no list whose absence would have to be found out.
 */
const subjectOf = async (
  context: RepositoryContext,
  digest: Digest,
  options: CallOptions = {},
): Promise<Digest | undefined> => {
  const { transport, own } = context
  if (transport.host(own.registry).referrers === 'api') return undefined
  try {
    const { bytes } = await readManifest(context, digest, { ...options, fresh: true })
    return parseManifest(bytes).subject?.digest
  } catch (error) {
    // What cannot be read can be deleted all the same.
    if (isClientError(error, 'aborted') || isClientError(error, 'unauthorized')) throw error
    return undefined
  }
}
