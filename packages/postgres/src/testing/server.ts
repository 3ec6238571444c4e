import { randomUUID } from 'node:crypto'
import type { Digest } from '@stowage/oci'
import type { Grant, PutManifest } from '@stowage/registry/metadata'
import { parseDigest } from '@stowage/oci'
import { Pool } from 'pg'

const given = process.env['STOWAGE_TEST_POSTGRES']
if (given === undefined) throw new Error('These tests need a PostgreSQL: run npm run test:postgres.')

export const connectionString = given

/** A place of its own for each test, with a name that only works when it is quoted. */
export const newSchema = (): string => `Test "${randomUUID()}"`

/** A pool for what a test does beside the store. */
export const openPool = (options: { max?: number; options?: string } = {}): Pool & AsyncDisposable => {
  const pool = new Pool({ connectionString, ...options })
  pool.on('error', () => {})
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() })
}

export const push: Grant = { actor: 'alice', action: 'push', repository: undefined, overwriteTags: true }

export const digest = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`)

export const manifest = (repository: string, number: number): PutManifest => ({
  repository,
  digest: digest(number),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  bytes: new TextEncoder().encode(`${number}`),
  tags: [],
  references: [],
  requiredBlobs: [],
  requiredManifests: [],
  facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
  at: 1,
})

/** Asks until the answer is yes. */
export const until = async (ask: () => Promise<boolean>): Promise<void> => {
  // One question after the other.
  while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 5))
}
