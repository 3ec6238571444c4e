import type { Descriptor } from '@stowage/oci'

/** What a part of an image is in it. */
export type FindingRole = 'manifest' | 'config' | 'layer' | 'blob' | 'subject'

/**
 * | code | means |
 * |---|---|
 * | `missing` | it is not there |
 * | `damaged` | its bytes are not those of its digest, or not as many as its descriptor says |
 * | `invalid` | it has the right bytes, but they are no good manifest, config or layer |
 * | `inconsistent` | two parts say different things of each other |
 * | `unchecked` | it is there, and more could not be said here |
 */
export type FindingCode = 'missing' | 'damaged' | 'invalid' | 'inconsistent' | 'unchecked'

interface Common {
  readonly role: FindingRole
  readonly descriptor: Descriptor
  /** Where in the image: `linux/amd64 layers[2]`; empty for the manifest that was asked for. */
  readonly where: string
}

/** One thing that was looked at, and what came of it. */
export type Finding =
  | (Common & { readonly severity: 'ok' })
  /** A problem makes the image unusable for somebody; a note does not. */
  | (Common & { readonly severity: 'problem' | 'note'; readonly code: FindingCode; readonly message: string })
