import { parseDigest } from '@stowage/oci'
import type { GarbageReport, UpkeepRun } from '@stowage/registry'
import { expect, test } from 'vitest'
import { createUpkeepRecord } from './upkeep-record.ts'

const digest = parseDigest(`sha256:${'0'.repeat(64)}`)

const garbage = (change: Partial<GarbageReport> = {}): UpkeepRun => ({
  kind: 'garbage',
  at: 5000,
  milliseconds: 20,
  report: {
    dryRun: false,
    links: 3,
    blobs: 2,
    bytes: 10,
    orphans: 1,
    orphanBytes: 4,
    sample: [{ repository: 'a', digest, size: 1 }],
    incomplete: false,
    ...change,
  },
})

test('counts what was done, and keeps the last run of each kind', () => {
  const record = createUpkeepRecord()
  expect(record.last()).toEqual({})
  record.record(garbage())
  record.record({ ...garbage({ blobs: 1, bytes: 5 }), at: 7000 })
  record.record({
    kind: 'scrub',
    at: 8000,
    milliseconds: 1,
    report: {
      blobs: 4,
      bytes: 40,
      manifests: 1,
      corrupt: [{ digest, kind: 'blob', problem: 'size' }],
      healed: 1,
      unreadable: 0,
      incomplete: true,
    },
  })
  expect(record.totals).toMatchObject({
    garbageLinks: 6,
    garbageBlobs: 3,
    garbageBytes: 15,
    garbageOrphans: 2,
    garbageOrphanBytes: 8,
    scrubBlobs: 4,
    scrubBytes: 40,
    scrubCorrupt: 1,
    scrubHealed: 1,
    runs: { garbage: { done: 2, failed: 0 }, scrub: { done: 0, incomplete: 1 } },
  })
  const { garbage: last, scrub } = record.last()
  expect(last).toMatchObject({ at: 7000, milliseconds: 20, report: { blobs: 1 } })
  expect(last?.report).not.toHaveProperty('sample')
  expect(scrub?.report?.corrupt).toBe(1)
})

test('a dry run is none, one that was withheld or failed is told apart', () => {
  const record = createUpkeepRecord()
  record.record(garbage({ dryRun: true }))
  expect(record.last()).toEqual({})
  record.record(garbage({ links: 0, blobs: 0, bytes: 0, withheld: { reason: 'clock', message: 'The clock jumped.' } }))
  record.record({ kind: 'garbage', at: 9000, milliseconds: 1, error: new Error('the disk is full') })
  expect(record.totals.runs.garbage).toEqual({ done: 0, withheld: 1, incomplete: 0, failed: 1 })
  expect(record.last().garbage).toEqual({ at: 9000, milliseconds: 1, report: undefined })
})
