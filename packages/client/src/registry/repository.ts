import { type Descriptor, type Digest, parseManifest } from '@stowage/oci'
import type { CallOptions, Target } from '../content/ports.ts'
import { ClientError, isClientError } from '../errors.ts'
import { blobFrom, deleteBlob, describeBlob, hasBlob, readBlob } from './blobs.ts'
import { deleteTag } from './delete-tag.ts'
import { deleteByReference, hasManifest, putManifest, readManifest, resolveManifest } from './manifests.ts'
import { describePlace, type RepositoryContext } from './place.ts'
import { mountBlob, putBlob } from './put-blob.ts'
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
      const { bytes } = await readManifest(context, descriptor.digest, options)
      if (bytes.byteLength !== descriptor.size) {
        const text = `${name}@${descriptor.digest} has ${bytes.byteLength} bytes, and its descriptor says ${descriptor.size}.`
        throw new ClientError('digest-mismatch', text, { subject: `${name}@${descriptor.digest}` })
      }
      return bytes
    },
    getBlob: (descriptor, options) => readBlob(context, descriptor, options),
    getBlobFrom: (descriptor, offset, options) => blobFrom(context, descriptor, offset, options),
    describeBlob: async (digest, options) => describeBlob(context, digest, options),
    hasManifest: async (descriptor, options) => hasManifest(context, descriptor, options),
    hasBlob: async (descriptor, options) => hasBlob(context, descriptor, options),
    tags: (options) => listTags(context, options),
    referrers: (subject, options) => listReferrers(context, subject, options),
    putBlob: async (descriptor, content, options) => putBlob(context, descriptor, content, options),
    mountBlob: async (digest, from, options) => mountBlob(context, { digest }, from, options),
    deleteBlob: async (digest, options) => deleteBlob(context, digest, options),
    startUpload: async (options) => startUpload(context, options),
    resumeUpload: async (token, options) => resumeUpload(context, token, options),
    putManifest: async (descriptor, bytes, options) => putManifest(context, descriptor, bytes, options),
    async tag(descriptor, tag, options) {
      const bytes = await this.getManifest(descriptor, options)
      await putManifest(context, descriptor, bytes, { ...options, tags: [tag] })
    },
    deleteTag: async (tag, options) => deleteTag(context, tag, options),
    async deleteManifest(digest, options) {
      const subject = await subjectOf(context, digest, options)
      await deleteByReference(context, digest, options)
      if (subject !== undefined) await removeReferrer(context, digest, subject, options)
    },
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

/**
 * "When deleting a … manifest that contains a subject field, and the referrers API is not supported …, clients SHOULD" take it out
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
    const { bytes } = await readManifest({ ...context, readFrom: [own] }, digest, options)
    return parseManifest(bytes).subject?.digest
  } catch (error) {
    // What cannot be read can be deleted all the same.
    if (isClientError(error, 'aborted') || isClientError(error, 'unauthorized')) throw error
    return undefined
  }
}
