import type { Reply } from './exchange.ts'
import { empty } from './exchange.ts'
import { RegistryError } from '../errors.ts'
import { contentHeaders, immutable, matchesNone } from './content-headers.ts'
import { requireDigest } from './parameters.ts'
import { parseRange } from './range.ts'
import type { Operations, RepositoryCall, Services } from './resource.ts'

/** end-2. A HEAD has the head of a GET: RFC 9110 section 9.3.2. */
const get = async ({ incoming, grant, last }: RepositoryCall, { blobs }: Services): Promise<Reply> => {
  const digest = requireDigest(last)
  const blob = await (incoming.method === 'HEAD' ? blobs.findToKeep(grant, digest) : blobs.find(grant, digest))
  const headers = contentHeaders(blob.digest, blob.size, 'application/octet-stream')
  headers['content-disposition'] = 'attachment'
  headers['accept-ranges'] = 'bytes'
  headers['cache-control'] = immutable
  if (matchesNone(incoming.header('if-none-match'), blob.digest)) {
    delete headers['content-length']
    return empty(304, headers)
  }
  if (incoming.method === 'HEAD') return { status: 200, headers, body: null }
  const range = parseRange(rangeHeader(incoming.header('range'), incoming.header('if-range'), blob.digest), blob.size)
  switch (range.kind) {
    case 'whole':
      return { status: 200, headers, body: await blobs.read(grant, blob, 0, blob.size) }
    case 'part': {
      headers['content-length'] = String(range.end - range.start)
      headers['content-range'] = `bytes ${range.start}-${range.end - 1}/${blob.size}`
      return { status: 206, headers, body: await blobs.read(grant, blob, range.start, range.end) }
    }
    case 'unsatisfiable':
      throw new RegistryError('range-not-satisfiable', `The blob has ${blob.size} bytes. Ask a range within them.`, {
        hints: { size: blob.size },
      })
  }
}

/** RFC 9110 section 13.1.5: with an `If-Range` that names another representation the whole is sent. Section 14.2: GET only. */
const rangeHeader = (range: string | null, ifRange: string | null, digest: string): string | null =>
  ifRange === null || ifRange === `"${digest}"` ? range : null

/** end-10. */
const remove = async ({ grant, last }: RepositoryCall, { blobs, changed }: Services): Promise<Reply> => {
  await blobs.remove(grant, requireDigest(last))
  changed()
  return empty(202)
}

export const blobs: Operations<RepositoryCall> = {
  GET: { action: 'pull', handle: get },
  HEAD: { action: 'pull', handle: get },
  DELETE: { action: 'delete', handle: remove },
}
