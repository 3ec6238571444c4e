import { type Descriptor, isMediaType, mediaTypes } from '@stowage/oci'
import { RegistryError } from '../errors.ts'
import type { ReferrerRow } from '../metadata/metadata-store.ts'
import { json, type ReplyHeaders } from './exchange.ts'
import { nextLink } from './paging.ts'
import { requireDigest } from './parameters.ts'
import type { Operation, Operations, RepositoryCall } from './resource.ts'

/** Most descriptors of one page, and most bytes of it: annotations are as long as their authors like. */
const maxDescriptors = 1000
const maxPageBytes = 4 * 1024 * 1024

/**
 * end-12a, end-12b. Every manifest of the repository that has a `subject` is indexed when it is pushed, so manifests that a
 * client also listed under the referrers tag schema are here too, without any reading of such tags.
 */
const list: Operation<RepositoryCall> = {
  action: 'pull',
  handle: async ({ query, grant, last: path, origin }, { metadata }) => {
    const subject = requireDigest(path)
    const parameters = query()
    const artifactType = parameters.get('artifactType') ?? undefined
    const last = parameters.get('last') ?? undefined
    if (artifactType !== undefined && artifactType !== '' && !isMediaType(artifactType)) {
      throw new RegistryError('query-invalid', 'The query parameter `artifactType` is not a media type.')
    }
    const filter = artifactType === undefined || artifactType === '' ? {} : { artifactType }
    const rows = await metadata.listReferrers({
      repository: grant.repository,
      subject,
      limit: maxDescriptors + 1,
      ...filter,
      ...(last === undefined ? {} : { last }),
    })
    const { manifests, next } = page(rows)
    const headers: ReplyHeaders = { 'content-type': mediaTypes.ociImageIndex }
    if (artifactType !== undefined && artifactType !== '') headers['oci-filters-applied'] = 'artifactType'
    if (next !== undefined) {
      headers['link'] = nextLink(`${origin}/v2/${grant.repository}/referrers/${subject}`, { ...filter, last: next })
    }
    // "the registry MUST NOT return a 404 Not Found to a referrers API requests": an unknown repository has no referrers.
    return json(200, { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }, headers)
  },
}

const page = (rows: readonly ReferrerRow[]): { manifests: Descriptor[]; next: string | undefined } => {
  const manifests: Descriptor[] = []
  let bytes = 0
  for (const row of rows) {
    const { digest, mediaType, size, artifactType, annotations } = row
    const descriptor: Descriptor = {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    }
    bytes += JSON.stringify(descriptor).length
    if (manifests.length === maxDescriptors || (bytes > maxPageBytes && manifests.length > 0)) {
      return { manifests, next: manifests.at(-1)?.digest }
    }
    manifests.push(descriptor)
  }
  return { manifests, next: undefined }
}

export const referrers: Operations<RepositoryCall> = { GET: list, HEAD: list }
