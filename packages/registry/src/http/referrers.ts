import { type Descriptor, isMediaType, mediaTypes } from '@stowage/oci'
import { RegistryError } from '../errors.ts'
import type { ReferrerRow } from '../metadata/metadata-store.ts'
import { json, type ReplyHeaders } from './exchange.ts'
import { nextLink, parseLast } from './paging.ts'
import { requireDigest, single } from './parameters.ts'
import type { Operation, Operations, RepositoryCall } from './resource.ts'

/** Most descriptors of one page, and most bytes of it as it is sent: many clients read no more of an index than 4 MiB. */
const maxDescriptors = 1000
const maxPageBytes = 4 * 1024 * 1024
/** What is around the descriptors. */
const envelopeBytes = 200

/**
 * Descriptors read from the store at once. Annotations may be as long as a manifest, so that a page's number of rows can be
 * more than fits into memory although the page ends after a few of them.
 */
const batch = 16

/**
 * end-12a, end-12b. Every manifest of the repository that has a `subject` is indexed when it is pushed, so manifests that a
 * client also listed under the referrers tag schema are here too, without any reading of such tags.
 */
const list: Operation<RepositoryCall> = {
  action: 'pull',
  handle: async ({ query, grant, last: path, origin }, { metadata }) => {
    const subject = requireDigest(path)
    const parameters = query()
    // No media type has a space: it is a `+` that was not encoded, as in `application/vnd.example+json`.
    const artifactType = single(parameters, 'artifactType')?.replaceAll(' ', '+') ?? ''
    const last = parseLast(parameters)
    if (artifactType !== '' && !isMediaType(artifactType)) {
      throw new RegistryError('query-invalid', 'The query parameter `artifactType` is not a media type.')
    }
    const filter = artifactType === '' ? {} : { artifactType }
    const { manifests, next } = await readPage(last, async (after) =>
      metadata.listReferrers({
        repository: grant.repository,
        subject,
        limit: batch,
        ...filter,
        ...(after === undefined ? {} : { last: after }),
      }),
    )
    const headers: ReplyHeaders = { 'content-type': mediaTypes.ociImageIndex }
    if (artifactType !== '') headers['oci-filters-applied'] = 'artifactType'
    if (next !== undefined) {
      headers['link'] = nextLink(`${origin}/v2/${grant.repository}/referrers/${subject}`, { ...filter, last: next })
    }
    // "the registry MUST NOT return a 404 Not Found to a referrers API requests": an unknown repository has no referrers.
    return json(200, { schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }, headers)
  },
}

/** @returns the descriptors of one page, and what the next one comes after, when there is a next one. */
const readPage = async (
  last: string | undefined,
  read: (after: string | undefined) => Promise<ReferrerRow[]>,
): Promise<{ manifests: Descriptor[]; next: string | undefined }> => {
  const manifests: Descriptor[] = []
  let bytes = envelopeBytes
  let after = last
  for (;;) {
    // Each batch goes on where the one before it ended.
    const rows = await read(after)
    for (const row of rows) {
      const descriptor = describe(row)
      bytes += Buffer.byteLength(JSON.stringify(descriptor)) + 1
      if (manifests.length === maxDescriptors || (bytes > maxPageBytes && manifests.length > 0)) {
        return { manifests, next: manifests.at(-1)?.digest }
      }
      manifests.push(descriptor)
    }
    if (rows.length < batch) return { manifests, next: undefined }
    after = rows.at(-1)?.digest
  }
}

const describe = ({ digest, mediaType, size, artifactType, annotations }: ReferrerRow): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(artifactType === undefined ? {} : { artifactType }),
  ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
})

export const referrers: Operations<RepositoryCall> = { GET: list, HEAD: list }
