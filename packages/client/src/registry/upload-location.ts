import { ClientError } from '../errors.ts'
import type { Answer } from '../transport/answer.ts'
import { parseDestination, requireSameOrigin } from '../transport/origin.ts'
import type { RepositoryContext } from './place.ts'

/** Path and query of where an upload goes on. @throws {ClientError} `invalid-response`, `refused` for another origin */
export const locationOf = ({ transport, own }: RepositoryContext, { headers, url }: Answer): string => {
  const header = headers.get('location')
  if (header === null) {
    throw new ClientError('invalid-response', `${own.registry} began an upload without saying where (no Location).`)
  }
  const location = parseDestination(header, url, 'Location')
  // A registry behind a proxy may think that it is plain HTTP. Sent to where it was asked, it is the same upload.
  const { origin, protocol } = new URL(transport.host(own.registry).endpoint)
  if (location.origin !== origin && protocol === 'https:' && location.host === new URL(origin).host) {
    location.protocol = protocol
  }
  requireSameOrigin(url, location, 'Location')
  return `${location.pathname}${location.search}`
}

/**
 * "If the registry provides an `OCI-Chunk-Min-Length` header in the `POST` response, the size of each chunk, except for the final
 * chunk, SHOULD be greater or equal to that value." What is no number says nothing.
 */
export const minChunkOf = ({ headers }: Answer): number => {
  const text = headers.get('oci-chunk-min-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}
