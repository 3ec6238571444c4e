import type { Digest } from '@stowage/oci'
import type { Operation } from '../operation.ts'
import type { StoredBlob, StoredContent } from '../upkeep-store.ts'

export function* listBlobs(_page: { readonly last?: Digest; readonly limit: number }): Operation<StoredBlob[]> {
  throw new Error('not yet')
}

export function* quarantineBlob(_target: {
  readonly digest: Digest
  readonly key: string
  readonly at: number
}): Operation<boolean> {
  throw new Error('not yet')
}

export function* verifiedBlobs(
  _blobs: readonly { readonly digest: Digest; readonly key: string }[],
  _at: number,
): Operation<void> {
  throw new Error('not yet')
}

export function* listContents(_page: { readonly last?: Digest; readonly limit: number }): Operation<StoredContent[]> {
  throw new Error('not yet')
}

export function* quarantineManifest(_digest: Digest, _at: number): Operation<void> {
  throw new Error('not yet')
}
