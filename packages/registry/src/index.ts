export {
  type AccessControl,
  anonymous,
  type Principal,
  type RequestInfo,
  type Resource,
  type Verdict,
} from './access/access.ts'
export type { Action, Grant, RepositoryFilter } from './access/grant.ts'
export type { BlobStore, BlobStream, BlobUpload } from './blobs/blob-store.ts'
export { DataDirectoryError } from './blobs/file-system/data-directory.ts'
export { fileSystemBlobs, type FileSystemBlobsOptions } from './blobs/file-system/file-system-blobs.ts'
export { memoryBlobs } from './blobs/memory/memory-blobs.ts'
export { type ErrorHints, type Fault, faults, RegistryError } from './errors.ts'
export type { Hooks } from './events/hooks.ts'
export type { Cors } from './http/cors.ts'
export type { RequestSummary } from './http/handle.ts'
export type { Logger } from './logger.ts'
export type * from './metadata/metadata-store.ts'
export { DirectoryLockedError } from './metadata/sqlite/lock.ts'
export { sqliteMetadata, type SqliteMetadata, type SqliteMetadataOptions } from './metadata/sqlite/sqlite-metadata.ts'
export type { RegistryOptions } from './options.ts'
export { createRegistry, type Registry, type RegistryStatus, type SweepResult } from './registry.ts'
