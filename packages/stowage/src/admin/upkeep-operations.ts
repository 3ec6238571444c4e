import { isAbsolute } from 'node:path'
import { isTag } from '@stowage/oci'
import type { GarbageReport, Registry, RetentionReport } from '@stowage/registry'
import { z } from 'zod'
import { reasonOf } from '../server/data-directory.ts'
import { upkeepPath } from './api.ts'
import { type Operation, OperationError, type OperationGroup, operationGroup } from './operations.ts'

/** What upkeep works on. */
export interface Kept {
  readonly registry: Pick<Registry, 'upkeep' | 'backUpTo'>
  /** Whether this process has the store for this alone, and nothing is pushed meanwhile. */
  readonly exclusive: boolean
}

/** What can be done to keep a registry in order, by name. Runs of minutes end early when nobody waits for them any more. */
const operation = <B, A extends object>(
  body: z.ZodType<B>,
  run: Operation<Kept, B, A>['run'],
): Operation<Kept, B, A> => ({ body, run })

const text = z.string()
const dryRun = z.boolean().exactOptional()
const trustClock = z.boolean().exactOptional()
/** Longer than anybody keeps a registry; seconds. */
const seconds = z.number().min(0).max(1e10)
const tag = text.refine(isTag, { error: 'it must be a tag: letters, digits, _, . and -, at most 128' })

export const upkeepOperations = {
  garbage: operation(
    z.strictObject({ dryRun, grace: seconds.exactOptional(), trustClock }),
    async ({ registry, exclusive }, options, signal) =>
      registry.upkeep.collectGarbage({ ...options, exclusive, signal }),
  ),
  retention: operation(z.strictObject({ dryRun, trustClock }), async ({ registry }, options, signal) =>
    registry.upkeep.applyRetention({ ...options, signal }),
  ),
  'removed-tags': operation(
    z.strictObject({
      repository: text.exactOptional(),
      last: z.int().min(0).exactOptional(),
      limit: z.int().min(1).max(1000).exactOptional(),
    }),
    async ({ registry }, page) => ({ tags: await registry.upkeep.listRemovedTags(page) }),
  ),
  restore: operation(
    z.strictObject({ id: z.int().min(0), as: tag.exactOptional(), overwrite: z.boolean().exactOptional() }),
    async ({ registry }, options) => {
      const result = await registry.upkeep.restoreTag(options)
      switch (result.outcome) {
        case 'restored':
          return { repository: result.repository, tag: result.tag, digest: result.digest }
        case 'unknown':
          throw new OperationError('unknown', `There is no removed tag with the id ${options.id}.`, { field: 'id' })
        case 'manifest-unknown':
          throw new OperationError(
            'unknown',
            `What the tag named is not in ${result.repository} any more: somebody deleted ${result.digest}.`,
            { field: 'id' },
          )
        case 'tag-exists':
          throw new OperationError(
            'exists',
            `${result.repository}:${result.tag} is there, and names ${result.digest}. ${
              options.overwrite === true
                ? 'It is immutable: restore under another name (as).'
                : 'Restore under another name (as), or move that tag (overwrite).'
            }`,
            { field: 'as' },
          )
      }
    },
  ),
  scrub: operation(
    z.strictObject({
      rate: z.int().min(0).exactOptional(),
      fromStart: z.boolean().exactOptional(),
    }),
    async ({ registry }, options, signal) => registry.upkeep.scrub({ ...options, signal }),
  ),
  backup: operation(
    z.strictObject({ target: text.refine(isAbsolute, { error: 'it must be an absolute path' }) }),
    async ({ registry }, { target }, signal) => {
      try {
        return { target, ...(await registry.backUpTo(target, { signal })) }
      } catch (cause) {
        signal.throwIfAborted()
        if (cause instanceof Error && cause.name === 'BackupError') {
          throw new OperationError('invalid', cause.message, { field: 'target', cause })
        }
        const why = reasonOf(cause)
        if (why === undefined) throw cause
        throw new OperationError('storage', `The backup to ${target} came to nothing: ${why}.`, { cause })
      }
    },
  ),
}

export type UpkeepOperation = keyof typeof upkeepOperations
export type UpkeepBody<O extends UpkeepOperation> = z.input<(typeof upkeepOperations)[O]['body']>
export type UpkeepAnswer<O extends UpkeepOperation> = Awaited<ReturnType<(typeof upkeepOperations)[O]['run']>>

export const upkeepGroup = (kept: Kept): OperationGroup =>
  operationGroup(upkeepPath, upkeepOperations, kept, (name, answer, body) => {
    const trace = traces[name as UpkeepOperation] as ((answer: object, body: unknown) => object | undefined) | undefined
    return trace?.(answer, body)
  })

type Traces = {
  readonly [O in UpkeepOperation]:
    | ((answer: UpkeepAnswer<O>, body: z.output<(typeof upkeepOperations)[O]['body']>) => object | undefined)
    | undefined
}

/** What the log says of each; undefined when it only looked. */
const traces: Traces = {
  garbage: (report) => changes(report),
  retention: (report) => changes(report),
  'removed-tags': undefined,
  restore: (restored, { id }) => ({ id, ...restored }),
  scrub: ({ corrupt, ...facts }) => ({ ...facts, corrupt: corrupt.length }),
  backup: ({ damaged, ...facts }) => ({ ...facts, damaged: damaged.length }),
}

/** A dry run has none. */
const changes = ({ dryRun: dry, withheld, ...report }: GarbageReport | RetentionReport): object | undefined => {
  if (dry) return undefined
  const { sample: _, ...facts } = report
  return { ...facts, ...(withheld !== undefined && { withheld: withheld.reason }) }
}
