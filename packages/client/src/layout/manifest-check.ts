import {
  type Descriptor,
  digestAlgorithm,
  digestOf,
  type HashFactory,
  isTag,
  type Manifest,
  safeParseManifest,
} from '@stowage/oci'
import { ClientError } from '../errors.ts'
import { fullName } from './layout-names.ts'
import type { LayoutStore } from './layout-store.ts'

/**
 * The manifest in these bytes, which are those of the descriptor and may be kept here.
 *
 * @throws {ClientError} `digest-mismatch`, `invalid-content`, `unsupported`
 */
export const checkManifest = (
  store: LayoutStore,
  hash: HashFactory,
  descriptor: Descriptor,
  bytes: Uint8Array,
): Manifest => {
  const { digest, size, mediaType } = descriptor
  const subject = `${store.name}@${digest}`
  if (bytes.byteLength !== size || digestOf(bytes, hash, digestAlgorithm(digest)) !== digest) {
    throw new ClientError('digest-mismatch', `${subject} was not stored: its bytes are not those of its descriptor.`, {
      subject,
    })
  }
  const parsed = safeParseManifest(bytes, mediaType)
  if (!parsed.ok) {
    const problems = parsed.problems.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
    throw new ClientError('invalid-content', `${subject} was not stored: it is no good manifest: ${problems}.`, {
      subject,
    })
  }
  store.admitManifest?.(parsed.value, descriptor)
  return parsed.value
}

/** @throws {ClientError} `usage` for what is no name in a layout */
export const checkName = (store: LayoutStore, name: string): void => {
  if (!isTag(name) && fullName(name) === undefined) {
    throw new ClientError('usage', `${JSON.stringify(name.slice(0, 200))} is no tag, and no reference with one.`, {
      subject: store.name,
      hint: 'A tag has letters, digits, "_", "." and "-", at most 128 of them.',
    })
  }
  store.admitName?.(name)
}
