import { type Digest, mediaTypeWithoutParameters } from '@stowage/oci'
import type { RepositoryGrant } from '../content/uploads.ts'
import { RegistryError } from '../errors.ts'
import { contentHeaders, immutable, matchesNone } from './content-headers.ts'
import { empty, type Incoming, type Reply, type ReplyHeaders } from './exchange.ts'
import { requireReference, requireTag } from './parameters.ts'
import type { Operations, RepositoryCall, Services } from './resource.ts'
import { refuseContentEncoding } from './uploads.ts'

/**
 * end-3. What was pushed is what is served, whatever `Accept` says: another media type would be another digest, and RFC 9110
 * section 12.5.1 lets a server send what it has. A client that cannot use it sees so from `Content-Type`.
 */
const get = async ({ incoming, grant, last }: RepositoryCall, { manifests, pulls }: Services): Promise<Reply> => {
  const reference = requireReference(last)
  const manifest = await (incoming.method === 'HEAD'
    ? manifests.findToKeep(grant, reference)
    : manifests.find(grant, reference))
  const headers = contentHeaders(manifest.digest, manifest.size, manifest.mediaType)
  // A tag may name another manifest a moment later: caches must ask again.
  headers['cache-control'] = 'tag' in reference ? 'no-cache' : immutable
  if (matchesNone(incoming.header('if-none-match'), manifest.digest)) {
    delete headers['content-length']
    return empty(304, headers)
  }
  if (incoming.method === 'HEAD') return { status: 200, headers, body: null }
  const bytes = await manifests.read(grant, manifest)
  pulls.count(grant.repository, manifest.digest, 'tag' in reference ? reference.tag : undefined)
  return { status: 200, headers, body: bytes }
}

/** Tags of one request. The specification asks for at least 10. */
const maxTags = 100

/** end-7a, end-7b. */
const put = async (call: RepositoryCall, services: Services): Promise<Reply> => {
  const { manifests, settings, changed } = services
  const { incoming, origin } = call
  const reference = requireReference(call.last)
  const named = call.query().getAll('tag')
  if ('tag' in reference && named.length > 0) {
    throw new RegistryError(
      'query-invalid',
      'The query parameter `tag` goes with a push by digest. Put one tag in the path.',
    )
  }
  if (named.length > maxTags) {
    throw new RegistryError('too-many-tags', `One request may set at most ${maxTags} tags. Send the others in another.`)
  }
  const tags = [...new Set('tag' in reference ? [reference.tag] : named.map(requireTag))]
  const grant = 'tag' in reference ? call.grant : await grantForTags(call, services, tags)
  refuseContentEncoding(incoming)
  const bytes = await readBody(incoming, settings.maxManifestSize)
  const contentType = incoming.header('content-type')
  const { digest, subject } = await manifests.put(grant, {
    bytes,
    contentType: contentType === null ? undefined : mediaTypeWithoutParameters(contentType),
    digest: 'digest' in reference ? reference.digest : undefined,
    tags,
  })
  changed()
  const headers: ReplyHeaders = {
    location: `${origin}/v2/${grant.repository}/manifests/${digest}`,
    'docker-content-digest': digest,
  }
  // "a registry implementation that supports the referrers API MUST respond with the response header OCI-Subject"
  if (subject !== undefined) headers['oci-subject'] = subject
  // "MUST include an OCI-Tag response header … for each accepted tag"
  if (named.length > 0) headers['oci-tag'] = tags.join(', ')
  return empty(201, headers)
}

/**
 * The grant in hand is for a manifest without a tag. A rule about a tag must hold however the tag is named, so each one of the
 * query is asked for as if it stood in the path.
 */
const grantForTags = async (
  { grant, principal }: RepositoryCall,
  { access }: Services,
  tags: readonly string[],
): Promise<RepositoryGrant> => {
  const { repository } = grant
  let { overwriteTags } = grant
  for (const tag of tags) {
    // In order, and no further than the first that is refused.
    const forTag = await access.authorize(principal, 'push', { repository, tag })
    overwriteTags &&= forTag.overwriteTags
  }
  return { ...grant, overwriteTags }
}

/** end-9. By tag only the tag goes; by digest the manifest and every tag that names it. */
const remove = async (call: RepositoryCall, services: Services): Promise<Reply> => {
  const reference = requireReference(call.last)
  if ('tag' in reference) await services.manifests.removeTag(call.grant, reference.tag)
  else await removeWithTags(call, services, reference.digest)
  services.changed()
  return empty(202)
}

/** Pushes that may come between the question and the deletion, each with another tag. */
const maxQuestions = 10

/**
 * The grant in hand is for a manifest without a tag. A rule about a tag must hold however the tag is deleted, so each one that
 * names the manifest is asked for as if it stood in the path (compare PROJQUAY-10504). The store removes what was asked for
 * and no more: a tag that came meanwhile is asked for in its turn.
 */
const removeWithTags = async (
  { grant, principal }: RepositoryCall,
  { access, manifests, metadata }: Services,
  digest: Digest,
): Promise<void> => {
  const { repository } = grant
  let tags: readonly string[] = []
  let others: readonly string[] = await metadata.listTagsOf(repository, digest)
  for (let questions = 0; questions < maxQuestions; questions += 1) {
    // In order, and no further than the first that is refused.
    for (const tag of others) await access.authorize(principal, 'delete', { repository, tag })
    tags = tags.concat(others)
    others = await manifests.remove(grant, digest, tags)
    if (others.length === 0) return
  }
  throw new RegistryError('too-many-requests', 'The manifest gets new tags all the time. Try again later.', {
    hints: { retryAfter: 1 },
  })
}

const tooLarge = (limit: number): RegistryError =>
  new RegistryError('manifest-too-large', `A manifest may have at most ${limit} bytes in this registry.`, {
    detail: { limit },
  })

/** The whole body, refused as soon as it is known to be too large. */
const readBody = async (incoming: Incoming, limit: number): Promise<Uint8Array> => {
  const announced = Number(incoming.header('content-length') ?? 0)
  if (announced > limit) throw tooLarge(limit)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming.body(incoming.signal())) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  const [only] = chunks
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size)
}

export const manifests: Operations<RepositoryCall> = {
  GET: { action: 'pull', handle: get },
  HEAD: { action: 'pull', handle: get },
  PUT: { action: 'push', handle: put },
  DELETE: { action: 'delete', handle: remove },
}
