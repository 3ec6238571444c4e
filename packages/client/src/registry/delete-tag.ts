import { type Descriptor, digestOf, mediaTypes } from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { isClientError } from '../errors.ts'
import { deleteByReference, putManifest, resolveManifest } from './manifests.ts'
import type { RepositoryContext } from './place.ts'
import { putBlob } from './put-blob.ts'

/**
 * Removes a tag and leaves the manifest. Registries that delete by digest only (distribution 2 is one) are told in two steps: the
 * tag is moved to a manifest that nobody else has, and that one is deleted, by its digest.
 */
export const deleteTag = async (context: RepositoryContext, tag: string, options: CallOptions = {}): Promise<void> => {
  try {
    await deleteByReference(context, tag, options)
  } catch (error) {
    if (!isClientError(error) || !isUnsupported(error.status)) throw error
    // A tag that is not there must not come to be on the way.
    await resolveManifest({ ...context, readFrom: [context.own] }, tag, options)
    const { descriptor, bytes } = await putUniqueManifest(context, options)
    await putManifest(context, descriptor, bytes, { ...options, tags: [tag] })
    await deleteByReference(context, descriptor.digest, options)
  }
}

/** 400 is what distribution 2 answers, with the code of an invalid digest. */
const isUnsupported = (status: number | undefined): boolean => status === 400 || status === 405 || status === 501

const putUniqueManifest = async (
  context: RepositoryContext,
  options: CallOptions,
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }> => {
  const config = new TextEncoder().encode('{}')
  const configDescriptor: Descriptor = {
    mediaType: mediaTypes.ociEmpty,
    digest: digestOf(config, context.hash),
    size: config.byteLength,
  }
  await putBlob(context, configDescriptor, bytesContent(config), options)
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociImageManifest,
    artifactType: 'application/vnd.stowage.deleted-tag.v1',
    config: configDescriptor,
    layers: [],
    annotations: { 'org.stowage.deleted-tag': [...crypto.getRandomValues(new Uint32Array(4))].join('-') },
  }
  const bytes = new TextEncoder().encode(JSON.stringify(manifest))
  return {
    bytes,
    descriptor: { mediaType: mediaTypes.ociImageManifest, digest: digestOf(bytes, context.hash), size: bytes.byteLength },
  }
}
