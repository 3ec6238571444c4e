import type { GarbageReport, RetentionReport, ScrubReport, UpkeepRun } from '@stowage/registry'

/** How upkeep went since the server was started: for `stowage status` and for the metrics. */
export interface UpkeepRecord {
  /** Takes note of a run. One that only looked is none. */
  record(run: UpkeepRun): void
  /** The last run of each kind that there was. */
  last(): LastRuns
  readonly totals: UpkeepTotals
}

export interface LastRun<R> {
  /** When it ended; milliseconds since the epoch. */
  readonly at: number
  readonly milliseconds: number
  /** Undefined: it failed, and the log says why. */
  readonly report: R | undefined
}

export interface LastRuns {
  readonly garbage?: LastRun<Omit<GarbageReport, 'sample'>>
  readonly retention?: LastRun<Omit<RetentionReport, 'sample'>>
  readonly scrub?: LastRun<Omit<ScrubReport, 'corrupt'> & { readonly corrupt: number }>
}

type Kind = UpkeepRun['kind']

export const upkeepKinds = ['garbage', 'retention', 'scrub'] as const satisfies readonly Kind[]
export const runResults = ['done', 'withheld', 'incomplete', 'failed'] as const
export type RunResult = (typeof runResults)[number]

/** What was done by all runs together. */
export interface UpkeepTotals {
  readonly runs: Readonly<Record<Kind, Readonly<Record<RunResult, number>>>>
  readonly garbageLinks: number
  readonly garbageBlobs: number
  readonly garbageBytes: number
  readonly garbageOrphans: number
  readonly garbageOrphanBytes: number
  readonly retentionTags: number
  readonly retentionManifests: number
  readonly scrubBlobs: number
  readonly scrubBytes: number
  readonly scrubCorrupt: number
  readonly scrubHealed: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const none = (): Record<RunResult, number> => ({ done: 0, withheld: 0, incomplete: 0, failed: 0 })

export const createUpkeepRecord = (): UpkeepRecord => {
  const runs = { garbage: none(), retention: none(), scrub: none() }
  const totals: Writable<UpkeepTotals> = {
    runs,
    garbageLinks: 0,
    garbageBlobs: 0,
    garbageBytes: 0,
    garbageOrphans: 0,
    garbageOrphanBytes: 0,
    retentionTags: 0,
    retentionManifests: 0,
    scrubBlobs: 0,
    scrubBytes: 0,
    scrubCorrupt: 0,
    scrubHealed: 0,
  }
  const last: Writable<LastRuns> = {}

  const record: UpkeepRecord['record'] = (run) => {
    if ('report' in run && 'dryRun' in run.report && run.report.dryRun) return
    runs[run.kind][resultOf(run)] += 1
    const { at, milliseconds } = run
    if (!('report' in run)) {
      last[run.kind] = { at, milliseconds, report: undefined }
      return
    }
    switch (run.kind) {
      case 'garbage': {
        const { sample: _, ...report } = run.report
        last.garbage = { at, milliseconds, report }
        totals.garbageLinks += report.links
        totals.garbageBlobs += report.blobs
        totals.garbageBytes += report.bytes
        totals.garbageOrphans += report.orphans
        totals.garbageOrphanBytes += report.orphanBytes
        return
      }
      case 'retention': {
        const { sample: _, ...report } = run.report
        last.retention = { at, milliseconds, report }
        totals.retentionTags += report.tags
        totals.retentionManifests += report.manifests
        return
      }
      case 'scrub': {
        const report = { ...run.report, corrupt: run.report.corrupt.length }
        last.scrub = { at, milliseconds, report }
        totals.scrubBlobs += report.blobs
        totals.scrubBytes += report.bytes
        totals.scrubCorrupt += report.corrupt
        totals.scrubHealed += report.healed
      }
    }
  }
  return { record, last: () => ({ ...last }), totals }
}

const resultOf = (run: UpkeepRun): RunResult => {
  if (!('report' in run)) return 'failed'
  if ('withheld' in run.report && run.report.withheld !== undefined) return 'withheld'
  return run.report.incomplete ? 'incomplete' : 'done'
}
