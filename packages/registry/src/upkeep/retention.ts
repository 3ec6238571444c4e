import type { Policies } from '../access/policies.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { RetentionReport, RetentionRun, Upkeep } from './upkeep.ts'
import type { RetentionRule } from './upkeep-options.ts'

export interface RetentionOptions {
  readonly metadata: MetadataStore
  readonly rules: readonly RetentionRule[]
  /** Milliseconds. */
  readonly restoreFor: number
  /** Immutable tags stay whatever the rules say. */
  readonly policies: Policies
  readonly logger: Logger
  readonly now: () => number
}

export interface Retention extends Pick<Upkeep, 'listRemovedTags' | 'restoreTag'> {
  apply(run: RetentionRun): Promise<RetentionReport>
}

export const createRetention = (_options: RetentionOptions): Retention => {
  const missing = async (): Promise<never> => Promise.reject(new Error('not yet'))
  return { apply: missing, listRemovedTags: missing, restoreTag: missing }
}
