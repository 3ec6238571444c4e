import type { Digest } from '@stowage/oci'
import { elements, member } from '../elements.ts'
import type { Operation, WriteOperation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { CollectBlobs, CollectedBlobs, UnusedBlob } from '../upkeep-store.ts'
import { lockRepository } from './repositories.ts'
import { touchUntagged } from './untagged.ts'
import { touchLink } from './unused.ts'

export function* listUnusedBlobs(_page: {
  readonly unusedBefore: number
  readonly limit: number
}): Operation<UnusedBlob[]> {
  throw new Error('not yet')
}

export function* collectBlobs(_target: CollectBlobs): WriteOperation<CollectedBlobs> {
  throw new Error('not yet')
}

export function* touchBlob(repository: string, digest: Digest, at: number): Operation<void> {
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId !== undefined) yield* touchLink(repositoryId, digest, at)
}

export function* touchManifest(repository: string, digest: Digest, at: number): Operation<void> {
  const repositoryId = yield* lockRepository(repository)
  if (repositoryId !== undefined) yield* touchUntagged(repositoryId, digest, at)
}

const keysOfBlobs = statement<{ keys: string }>()((db, p, dialect) =>
  db
    .selectFrom('blobs')
    .select('key')
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.keys)).select(member('key').as('key'))),
)

const keysOfGarbage = statement<{ keys: string }>()((db, p, dialect) =>
  db
    .selectFrom('blob_garbage')
    .select('key')
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.keys)).select(member('key').as('key'))),
)

export function* knownKeys(keys: readonly string[]): Operation<string[]> {
  const parameters = { keys: JSON.stringify(keys.map((key) => ({ key }))) }
  // In this order: a key goes from the blobs to the garbage, never back.
  const blobs = yield* all(keysOfBlobs, parameters)
  const garbage = yield* all(keysOfGarbage, parameters)
  return [...new Set([...blobs, ...garbage].map((row) => row.key))]
}
