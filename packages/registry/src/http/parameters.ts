import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithms,
  isDigest,
  isDigestAlgorithm,
  isRepositoryName,
  isTag,
} from '@stowage/oci'
import { RegistryError } from '../errors.ts'
import type { ManifestReference } from '../metadata/metadata-store.ts'

/** What of a bad value goes back into an error: enough to recognise it. */
const shown = (value: string): string => value.slice(0, 200)

export const requireName = (value: string): string => {
  if (isRepositoryName(value)) return value
  throw new RegistryError(
    'name-invalid',
    'A repository name has at most 255 characters: components of lower-case letters and digits, joined by `.`, `_`, `__` ' +
      'or `-`, and separated by `/`.',
    { detail: { name: shown(value) } },
  )
}

export const requireDigest = (value: string): Digest => {
  if (isDigest(value)) return value
  throw new RegistryError(
    'digest-invalid',
    `A digest is an algorithm (${digestAlgorithms.join(', ')}), a colon and the lower-case hex of that algorithm's length.`,
    { detail: { digest: shown(value) } },
  )
}

export const requireTag = (value: string): string => {
  if (isTag(value)) return value
  throw new RegistryError(
    'tag-invalid',
    'A tag has at most 128 characters: letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`.',
    { detail: { tag: shown(value) } },
  )
}

/** "<tag-or-digest> MUST be either (a) the digest of the manifest or (b) a tag": a colon tells which was meant. */
export const requireReference = (value: string): ManifestReference =>
  value.includes(':') ? { digest: requireDigest(value) } : { tag: requireTag(value) }

export const requireAlgorithm = (value: string): DigestAlgorithm => {
  if (isDigestAlgorithm(value)) return value
  throw new RegistryError('digest-invalid', `The digest algorithm is not one of ${digestAlgorithms.join(', ')}.`, {
    detail: { algorithm: shown(value) },
  })
}

/** One value of a query parameter, or none: two would let two readers see two requests. */
export const single = (query: URLSearchParams, name: string): string | undefined => {
  const values = query.getAll(name)
  if (values.length > 1) {
    throw new RegistryError('query-invalid', `The query has \`${name}\` more than once. Send it once.`)
  }
  return values[0]
}
