import type { MetadataStore } from './metadata-store.ts'
import type { UpkeepStore } from './upkeep-store.ts'

/** What it takes to examine a store: nothing of it writes. */
export interface ExaminedMetadata extends Pick<MetadataStore, 'kind' | 'listRepositories' | 'listGarbage'> {
  readonly upkeep: Pick<
    UpkeepStore,
    'listBlobs' | 'storedBlob' | 'listContents' | 'listManifests' | 'knownKeys' | 'knownUploads' | 'inspect'
  >
}
