import type { Descriptor, Digest, Manifest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import type { LayoutIndex } from './layout-index.ts'

/**
 * Where the files of an image layout are kept: a directory, an archive, memory. What they mean is the same everywhere
 * (`layout-target.ts`), so an archive that is no layout shows itself as one.
 */
export interface LayoutStore extends AsyncDisposable {
  /** As a person writes it: `ocidir:./images`. */
  readonly name: string

  /** The same object as long as nothing changed. */
  readIndex(options?: CallOptions): Promise<LayoutIndex>

  /** One change at a time, each on what the one before left. All of it is seen, or nothing. */
  changeIndex(change: (index: LayoutIndex) => LayoutIndex | Promise<LayoutIndex>): Promise<void>

  /** Bytes of a blob or manifest; undefined when it is not there. */
  blobSize(digest: Digest): Promise<number | undefined>

  /** Its bytes as they are stored: the caller verifies them. @throws {ClientError} while it is read: `not-found` */
  readBlob(digest: Digest, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>

  /** Stores the pieces under the digest. When their iteration throws, nothing is stored. */
  writeBlob(digest: Digest, chunks: AsyncIterable<Uint8Array>): Promise<void>

  removeBlob(digest: Digest): Promise<void>

  /** Says no to a manifest that cannot be kept here. @throws {ClientError} */
  admitManifest?(manifest: Manifest, descriptor: Descriptor): void

  /** Says no to a name that cannot be kept here. @throws {ClientError} */
  admitName?(name: string): void

  finish(options?: CallOptions): Promise<void>
}
