import type { Digest } from '@stowage/oci'
import type { Operation, WriteOperation } from '../operation.ts'
import type {
  CollectManifests,
  RemovedTag,
  RemoveTags,
  RestoreTag,
  RestoreTagResult,
  UntaggedManifest,
} from '../upkeep-store.ts'

export function* removeTags(_target: RemoveTags): WriteOperation<readonly string[]> {
  throw new Error('not yet')
}

export function* listRemovedTags(_page: {
  readonly repository?: string
  readonly last?: number
  readonly limit: number
}): Operation<RemovedTag[]> {
  throw new Error('not yet')
}

export function* restoreTag(_target: RestoreTag): WriteOperation<RestoreTagResult> {
  throw new Error('not yet')
}

export function* forgetRemovedTags(_before: number, _limit: number): Operation<number> {
  throw new Error('not yet')
}

export function* listUntaggedManifests(_page: {
  readonly repository: string
  readonly untaggedBefore: number
  readonly last?: Digest
  readonly limit: number
}): Operation<UntaggedManifest[]> {
  throw new Error('not yet')
}

export function* collectManifests(_target: CollectManifests): WriteOperation<UntaggedManifest[]> {
  throw new Error('not yet')
}
