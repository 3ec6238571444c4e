import type { Digest } from '@stowage/oci'
import type { MountSource } from '../content/blobs.ts'
import type { Body, UploadStatus } from '../content/uploads.ts'
import { RegistryError } from '../errors.ts'
import { empty, type Incoming, type Reply, type ReplyHeaders } from './exchange.ts'
import { requireAlgorithm, requireDigest, requireName, single } from './parameters.ts'
import { parseChunkRange } from './range.ts'
import type { Operations, RepositoryCall, Services } from './resource.ts'

/** end-4a, end-4b, end-4c, end-11. */
const start = async (call: RepositoryCall, services: Services): Promise<Reply> => {
  const { grant, incoming } = call
  const { uploads } = services
  const query = call.query()
  const mount = single(query, 'mount')
  if (mount !== undefined) {
    const digest = requireDigest(mount)
    const source = await mountSource(call, services, single(query, 'from'))
    if (source !== undefined && (await services.blobs.mount(grant, digest, source))) {
      services.changed()
      return created(call, digest)
    }
    // "if a registry … is unable to mount the requested blob, it SHOULD return a 202": an upload begins instead.
  }
  const given = single(query, 'digest')
  if (given !== undefined) {
    const digest = requireDigest(given)
    await uploads.receiveWhole(grant, digest, body(incoming))
    services.changed()
    return created(call, digest)
  }
  const algorithm = requireAlgorithm(single(query, 'digest-algorithm') ?? 'sha256')
  const upload = await uploads.start(grant, algorithm)
  const headers = progress(call, upload)
  if (services.settings.chunkMinLength > 0) headers['oci-chunk-min-length'] = String(services.settings.chunkMinLength)
  return empty(202, headers)
}

/**
 * Where a blob may be mounted from. Pull on the source is asked at the same choke point as everything else; a source that may
 * not be pulled answers like one that does not have the blob (compare CVE-2024-39897).
 */
const mountSource = async (
  call: RepositoryCall,
  { access }: Services,
  from: string | undefined,
): Promise<MountSource | undefined> => {
  if (from === undefined) return { readable: await access.visible(call.principal, 'mount') }
  const repository = requireName(from)
  try {
    await access.authorize(call.principal, 'pull', { repository })
    return { from: repository }
  } catch (error) {
    if (error instanceof RegistryError && (error.fault === 'unauthorized' || error.fault === 'denied')) return undefined
    throw error
  }
}

/** end-5. With `Content-Range` a chunk at that place; without, whatever comes is appended (`docker push` streams like that). */
const append = async (call: RepositoryCall, { uploads }: Services): Promise<Reply> => {
  const upload = await uploads.append(call.grant, requireUploadId(call.last), body(call.incoming))
  return empty(202, progress(call, upload))
}

/** end-6. */
const finish = async (call: RepositoryCall, { uploads, changed }: Services): Promise<Reply> => {
  const given = single(call.query(), 'digest')
  if (given === undefined) {
    throw new RegistryError(
      'digest-invalid',
      'The closing request has no digest. Add `digest=<algorithm>:<hex>` of the whole blob to the query.',
    )
  }
  const digest = requireDigest(given)
  const last = call.incoming.hasBody ? body(call.incoming) : undefined
  await uploads.finish(call.grant, requireUploadId(call.last), digest, last)
  changed()
  return created(call, digest)
}

/** end-13. */
const status = async (call: RepositoryCall, { uploads }: Services): Promise<Reply> =>
  empty(204, progress(call, await uploads.status(call.grant, requireUploadId(call.last), call.incoming.signal())))

/** end-14. */
const cancel = async (call: RepositoryCall, { uploads }: Services): Promise<Reply> => {
  await uploads.cancel(call.grant, requireUploadId(call.last))
  return empty(204)
}

/**
 * The Location of an upload never changes: a client that keeps the first one (the seed's sends 768 chunks to it) and one that
 * follows each answer reach the same place.
 */
const progress = ({ origin, grant }: RepositoryCall, upload: UploadStatus): ReplyHeaders => ({
  location: `${origin}/v2/${grant.repository}/blobs/uploads/${upload.id}`,
  // "The <end-of-range> value is the position of the last uploaded byte". Before the first byte clients expect 0-0.
  range: `0-${Math.max(upload.size - 1, 0)}`,
  'docker-upload-uuid': upload.id,
})

const created = ({ origin, grant }: RepositoryCall, digest: Digest): Reply =>
  empty(201, { location: `${origin}/v2/${grant.repository}/blobs/${digest}`, 'docker-content-digest': digest })

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const requireUploadId = (value: string): string => {
  if (uuid.test(value)) return value
  throw new RegistryError('upload-unknown', 'This is not the id of an upload. Use the Location that the registry gave.')
}

const body = (incoming: Incoming): Body => {
  refuseContentEncoding(incoming)
  const announced = incoming.header('content-length')
  let length: number | undefined
  if (announced !== null) {
    length = Number(announced)
    if (!/^\d+$/.test(announced) || !Number.isSafeInteger(length)) {
      throw new RegistryError('size-invalid', 'Content-Length is not a whole number of bytes.')
    }
  } else if (!incoming.hasBody) {
    length = 0
  }
  return {
    chunks: (signal) => incoming.body(signal),
    owned: incoming.ownsBody,
    length,
    range: chunkRange(incoming.header('content-range')),
    signal: incoming.signal(),
  }
}

const chunkRange = (header: string | null): Body['range'] => {
  if (header === null) return undefined
  const range = parseChunkRange(header)
  if (range !== undefined) return range
  throw new RegistryError(
    'upload-invalid',
    'Content-Range of a chunk is `<first>-<last>`, both ends inclusive, without a unit and without a total.',
    { detail: { contentRange: header.slice(0, 100) } },
  )
}

/** Bytes are stored as they come; inflating them here would change what the digest is of. */
export const refuseContentEncoding = (incoming: Incoming): void => {
  const encoding = incoming.header('content-encoding')
  if (encoding === null || encoding === '' || encoding.toLowerCase() === 'identity') return
  throw new RegistryError('content-encoding', 'The body has a Content-Encoding. Send the bytes themselves.')
}

export const uploads: Operations<RepositoryCall> = {
  POST: { action: 'push', handle: start },
}

export const upload: Operations<RepositoryCall> = {
  GET: { action: 'push', handle: status },
  HEAD: { action: 'push', handle: status },
  PATCH: { action: 'push', handle: append },
  PUT: { action: 'push', handle: finish },
  DELETE: { action: 'push', handle: cancel },
}
