import type { Registry as Collector } from 'prom-client'
import { runResults, type UpkeepRecord, type UpkeepTotals, upkeepKinds } from './upkeep-record.ts'

type Total = { [K in keyof UpkeepTotals]: UpkeepTotals[K] extends number ? K : never }[keyof UpkeepTotals]

const counters: Readonly<Record<string, { readonly help: string; readonly of: Total }>> = {
  stowage_garbage_links_total: { help: 'Blobs taken out of a repository by garbage collection.', of: 'garbageLinks' },
  stowage_garbage_blobs_total: { help: 'Blobs that garbage collection removed.', of: 'garbageBlobs' },
  stowage_garbage_bytes_total: { help: 'Bytes of the blobs that garbage collection removed.', of: 'garbageBytes' },
  stowage_garbage_orphans_total: { help: 'Files that nothing pointed to and that were removed.', of: 'garbageOrphans' },
  stowage_garbage_orphan_bytes_total: { help: 'Bytes of those files.', of: 'garbageOrphanBytes' },
  stowage_retention_tags_total: { help: 'Tags that retention removed.', of: 'retentionTags' },
  stowage_retention_manifests_total: {
    help: 'Manifests without a tag that retention removed.',
    of: 'retentionManifests',
  },
  stowage_scrub_blobs_total: { help: 'Blobs that were read and compared with their digest.', of: 'scrubBlobs' },
  stowage_scrub_bytes_total: { help: 'Bytes that were read for that.', of: 'scrubBytes' },
  stowage_scrub_corrupt_total: { help: 'Blobs and manifests that were found corrupt.', of: 'scrubCorrupt' },
  stowage_scrub_healed_total: { help: 'Blobs and manifests that came back from quarantine.', of: 'scrubHealed' },
}

/** Adds how upkeep goes to the metrics. */
export const addUpkeepMetrics = (
  { Counter, Gauge }: Pick<typeof import('prom-client'), 'Counter' | 'Gauge'>,
  register: Collector,
  record: UpkeepRecord,
): void => {
  const registers = [register]
  for (const [name, { help, of }] of Object.entries(counters)) {
    // oxlint-disable-next-line no-new -- it belongs to its register
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(record.totals[of])
      },
    })
  }
  // oxlint-disable-next-line no-new
  new Counter({
    name: 'stowage_upkeep_runs_total',
    help: 'Runs of garbage collection, retention and scrub, by how they ended.',
    labelNames: ['kind', 'result'],
    registers,
    collect() {
      this.reset()
      for (const kind of upkeepKinds) {
        for (const result of runResults) this.inc({ kind, result }, record.totals.runs[kind][result])
      }
    },
  })
  const ofLast = (name: string, help: string, read: (run: { at: number; milliseconds: number }) => number): void => {
    // oxlint-disable-next-line no-new
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers,
      collect() {
        const last = record.last()
        for (const kind of upkeepKinds) {
          const run = last[kind]
          if (run !== undefined) this.set({ kind }, read(run))
        }
      },
    })
  }
  ofLast('stowage_upkeep_last_run_timestamp_seconds', 'When the last run of each kind ended.', ({ at }) => at / 1000)
  ofLast(
    'stowage_upkeep_last_run_duration_seconds',
    'How long the last run of each kind took.',
    ({ milliseconds }) => milliseconds / 1000,
  )
}
