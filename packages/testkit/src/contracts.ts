export { describeBlobStore, type BlobStoreUnderTest } from './blob-contract.ts'
export { describeBlobStoreRestart, type RestartableBlobStore } from './blob-contract-restart.ts'
export { describeMetadataStore } from './metadata-contract.ts'
