import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from './blobs/blob-store.ts'
import { fileSystemBlobs } from './blobs/file-system/file-system-blobs.ts'
import { memoryBlobs } from './blobs/memory/memory-blobs.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import { lockDirectory } from './metadata/sqlite/lock.ts'
import { sqliteMetadata } from './metadata/sqlite/sqlite-metadata.ts'
import type { RegistryOptions } from './options.ts'

export interface Storage extends AsyncDisposable {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
}

/** Opens what `storage` names. What could be opened is closed again when the rest cannot. */
export const openStorage = async (storage: RegistryOptions['storage']): Promise<Storage> => {
  if (typeof storage !== 'string') return held(storage.metadata, storage.blobs)
  if (storage === ':memory:') return held(await sqliteMetadata({ path: ':memory:' }), memoryBlobs())
  return openDirectory(storage)
}

/** The embedded default: `registry.db` and the blobs' files, in a directory that one process owns. */
const openDirectory = async (directory: string): Promise<Storage> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await using opened = new AsyncDisposableStack()
  opened.use(lockDirectory(directory))
  const metadata = opened.use(await sqliteMetadata({ path: join(directory, 'registry.db') }))
  const blobs = opened.use(await fileSystemBlobs({ root: directory }))
  const keep = opened.move()
  return { metadata, blobs, [Symbol.asyncDispose]: async () => keep.disposeAsync() }
}

const held = (metadata: MetadataStore, blobs: BlobStore): Storage => {
  const stores = new AsyncDisposableStack()
  stores.defer(async () => metadata[Symbol.asyncDispose]())
  stores.defer(async () => blobs[Symbol.asyncDispose]())
  return { metadata, blobs, [Symbol.asyncDispose]: async () => stores.disposeAsync() }
}
