export type { Action, Grant, RepositoryFilter } from './access/grant.ts'
export type { BlobStore, BlobUpload } from './blobs/blob-store.ts'
export type { ChangeEvent, PullCount, RegistryEvent } from './events/event.ts'
export type * from './metadata/metadata-store.ts'
