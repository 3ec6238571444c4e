export { postgresMetadata, type PostgresMetadataOptions } from './postgres-metadata.ts'
