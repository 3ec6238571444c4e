import type { Digest } from '@stowage/oci'
import type { ReplyHeaders } from './exchange.ts'

/**
 * Headers of bytes that somebody pushed. A browser must never run them, whatever they say they are: the type is not sniffed,
 * the document is sandboxed, and a blob is a download.
 */
export const contentHeaders = (digest: Digest, size: number, mediaType: string): ReplyHeaders => ({
  'content-type': mediaType,
  'content-length': String(size),
  // "A successful response MUST contain the digest of the uploaded blob in the header Docker-Content-Digest."
  'docker-content-digest': digest,
  etag: `"${digest}"`,
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  // No page of another origin may embed it; `cors` lifts this for the origins it names.
  'cross-origin-resource-policy': 'same-origin',
})

/** Bytes under their digest never change; still no shared cache may keep what another caller might not see. */
export const immutable = 'private, max-age=31536000, immutable'

/** Whether `If-None-Match` names this digest (RFC 9110 section 13.1.2, weak comparison). */
export const matchesNone = (header: string | null, digest: Digest): boolean => {
  if (header === null) return false
  if (header.trim() === '*') return true
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === `"${digest}"`)
}
