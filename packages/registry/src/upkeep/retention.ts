import { isTag } from '@stowage/oci'
import { matchesGlob } from '../access/permission.ts'
import { assertPolicies, immutableTagsOf, type Policies } from '../access/policies.ts'
import { RegistryError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { RemovedTag } from '../metadata/upkeep-store.ts'
import { clockDoubt } from './clock-doubt.ts'
import type { Clock } from './clock.ts'
import { createTurns } from './garbage-work.ts'
import { ruleFor } from './retention-rules.ts'
import { applyToManifests, applyToTags, forgetEnded, type RetentionWork } from './retention-run.ts'
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
  readonly clock: Clock
}

export interface Retention extends Pick<Upkeep, 'listRemovedTags' | 'restoreTag'> {
  apply(run: RetentionRun): Promise<RetentionReport>
}

/** Names of repositories that are read at once. */
const namesAtOnce = 100

const mostListed = 1000

const readOnly = { reason: 'read-only', message: 'The registry is read-only at the moment.' } as const

export const createRetention = (options: RetentionOptions): Retention => {
  const { metadata, rules, restoreFor, policies, clock, logger, now } = options
  const { upkeep } = metadata

  const applyRules = async (work: RetentionWork): Promise<void> => {
    let last: string | undefined
    while (rules.length > 0 && (await work.goOn())) {
      const names = await metadata.listRepositories({
        visible: { kind: 'all' },
        limit: namesAtOnce,
        ...(last !== undefined && { last }),
      })
      for (const repository of names) {
        const rule = ruleFor(rules, repository)
        if (rule === undefined) continue
        if (rule.keep !== undefined) await applyToTags(work, repository, rule)
        const untagged = rule.untagged ?? rule.keep !== undefined
        if (untagged) await applyToManifests(work, repository)
      }
      last = names.at(-1)
      if (names.length < namesAtOnce) return
    }
  }

  const apply: Retention['apply'] = async ({ dryRun = false, trustClock = false, signal }) => {
    const at = now()
    const tally: RetentionWork['tally'] = { tags: 0, manifests: 0, forgotten: 0, incomplete: false, sample: [] }
    if (policies.readOnly === true && !dryRun) return { dryRun, ...tally, withheld: readOnly }
    const question = { clock, store: upkeep, name: 'retention', grace: restoreFor, dryRun, at } as const
    const doubt = await clockDoubt({ ...question, trusted: trustClock })
    if (doubt !== undefined) logger.warn({ dryRun }, `retention: ${doubt}`)
    const withheld = doubt === undefined ? {} : { withheld: { reason: 'clock', message: doubt } as const }
    // Tags could be brought back, but until somebody does that their images cannot be deployed. A dry run says what would go.
    if (doubt !== undefined && !dryRun) return { dryRun, ...tally, ...withheld }
    const goOn = createTurns(signal, () => (tally.incomplete = true))
    const work = { metadata, policies, restoreFor, now, at, dryRun, goOn, tally }
    await applyRules(work)
    await forgetEnded(work)
    const { sample: _, ...facts } = tally
    if (!dryRun && tally.tags + tally.manifests > 0) logger.info(facts, 'retention removed what no rule keeps')
    return { dryRun, ...tally, ...withheld }
  }

  const find = async (id: number): Promise<RemovedTag | undefined> => {
    if (!Number.isSafeInteger(id) || id < 1) return undefined
    const [removed] = await upkeep.listRemovedTags({ last: id - 1, limit: 1 })
    return removed?.id === id ? removed : undefined
  }

  return {
    apply,

    listRemovedTags: async ({ limit = 100, ...page } = {}) =>
      upkeep.listRemovedTags({ ...page, limit: Math.min(Math.max(1, limit), mostListed) }),

    restoreTag: async ({ id, as, overwrite = false }) => {
      assertPolicies(policies, 'push')
      if (as !== undefined && !isTag(as)) {
        throw new RegistryError(
          'tag-invalid',
          'as is not a tag: at most 128 letters, digits and characters of ._- that begin with a letter, digit or _.',
        )
      }
      const removed = await find(id)
      if (removed === undefined) return { outcome: 'unknown' }
      const tag = as ?? removed.tag
      const fixed = immutableTagsOf(policies, removed.repository).some((glob) => matchesGlob(glob, tag))
      return upkeep.restoreTag({ id, ...(as !== undefined && { as }), overwrite: overwrite && !fixed, at: now() })
    },
  }
}
