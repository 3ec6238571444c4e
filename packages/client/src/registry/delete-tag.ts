import { type Descriptor, type Digest, digestOf, mediaTypes } from '@stowage/oci'
import { bytesContent } from '../content/content.ts'
import type { CallOptions } from '../content/ports.ts'
import { isClientError } from '../errors.ts'
import { deleteByReference, readManifest } from './manifests.ts'
import type { RepositoryContext } from './place.ts'
import { putBlob } from './put-blob.ts'
import { putManifest } from './put-manifest.ts'

/**
 * Removes a tag and leaves the manifest. Registries that delete by digest only (distribution 2 is one) are told in two steps: the
 * tag is moved to a manifest that nobody else has, and that one is deleted, by its digest.
 */
export const deleteTag = async (context: RepositoryContext, tag: string, options: CallOptions = {}): Promise<void> => {
  try {
    await deleteByReference(context, tag, options)
  } catch (error) {
    if (!isClientError(error) || !isUnsupported(error.status)) throw error
    await deleteInTwoSteps(context, tag, options)
  }
}

const deleteInTwoSteps = async (context: RepositoryContext, tag: string, options: CallOptions): Promise<void> => {
  // A tag that is not there must not come to be on the way.
  const before = await readManifest(context, tag, { ...options, fresh: true })
  // Where nothing can be deleted, the tag would name the stand-in for good. Whether that is so is found out without the tag.
  await deleteByReference(context, await putStandIn(context, [], options), options)
  const standIn = await putStandIn(context, [tag], options)
  try {
    await deleteByReference(context, standIn, options)
  } catch (error) {
    // Also when it was the caller's signal that stopped it.
    await putManifest(context, before.descriptor, before.bytes, { tags: [tag] }).catch(() => {})
    throw error
  }
}

/** 400 is what distribution 2 answers, with the code of an invalid digest. */
const isUnsupported = (status: number | undefined): boolean => status === 400 || status === 405 || status === 501

/** Puts a manifest that nobody else has. */
const putStandIn = async (
  context: RepositoryContext,
  tags: readonly string[],
  options: CallOptions,
): Promise<Digest> => {
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
  const digest = digestOf(bytes, context.hash)
  const descriptor = { mediaType: mediaTypes.ociImageManifest, digest, size: bytes.byteLength }
  await putManifest(context, descriptor, bytes, { ...options, tags })
  return digest
}
