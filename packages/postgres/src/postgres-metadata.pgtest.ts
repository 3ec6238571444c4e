import { randomUUID } from 'node:crypto'
import { describeMetadataStore } from '@stowage/testkit/contracts'
import { postgresMetadata } from './postgres-metadata.ts'

const connectionString = process.env['STOWAGE_TEST_POSTGRES']
if (connectionString === undefined) throw new Error('These tests need a PostgreSQL: run npm run test:postgres.')

describeMetadataStore('PostgreSQL', () => postgresMetadata({ connectionString, schema: `contract-${randomUUID()}` }))
