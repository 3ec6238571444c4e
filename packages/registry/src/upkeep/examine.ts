import type { ExaminedBlobs } from '../blobs/examined-blobs.ts'
import type { ExaminedMetadata } from '../metadata/examined-metadata.ts'
import { examineBlobs } from './examine-blobs.ts'
import { examineGarbage } from './examine-garbage.ts'
import { examineManifests } from './examine-manifests.ts'
import { type Finding, finding } from './finding.ts'
import { createPace, type Pace } from './pace.ts'

export interface ExamineOptions {
  readonly metadata: ExaminedMetadata
  readonly blobs: ExaminedBlobs
  /** Reads every blob and compares its digest; without it only whether it is there, and how long it is. Default false. */
  readonly deep?: boolean
  /** Bytes read a second; 0: as fast as the disk gives them. Default 0. */
  readonly rate?: number
  /** Whether the registry accepts manifests whose config or layers it does not have. Default false, as there. */
  readonly allowMissingBlobs?: boolean
  /** Most findings of one kind that come from the database alone. Default 1000. */
  readonly limit?: number
  /** Milliseconds since the epoch; for tests. */
  readonly now?: () => number
  /** Told as it goes on. */
  readonly onProgress?: (progress: ExamineProgress) => void
  readonly signal?: AbortSignal
}

export interface ExamineProgress {
  readonly blobs: number
  readonly manifests: number
  /** Read. */
  readonly bytes: number
}

/** What the parts of an examination share. */
export interface Examination {
  readonly metadata: ExaminedMetadata
  readonly blobs: ExaminedBlobs
  readonly deep: boolean
  readonly allowMissingBlobs: boolean
  readonly now: () => number
  readonly pace: Pace
  readonly signal: AbortSignal | undefined
  readonly count: (more: Partial<ExamineProgress>) => void
}

/**
 * Whether a store keeps its own rules, as `docs/doctor.md` lists them. Nothing is written, and little is held in memory
 * whatever the size of the store. It may be in use: what seems wrong with a file is looked at again before it is told.
 *
 * Throws when the signal aborts.
 */
export async function* examine(options: ExamineOptions): AsyncGenerator<Finding, void, undefined> {
  const { metadata, blobs, deep = false, rate = 0, allowMissingBlobs = false, limit = 1000, signal } = options
  let progress: ExamineProgress = { blobs: 0, manifests: 0, bytes: 0 }
  const examination: Examination = {
    metadata,
    blobs,
    deep,
    allowMissingBlobs,
    now: options.now ?? Date.now,
    pace: createPace(rate),
    signal,
    count: (more) => {
      progress = {
        blobs: progress.blobs + (more.blobs ?? 0),
        manifests: progress.manifests + (more.manifests ?? 0),
        bytes: progress.bytes + (more.bytes ?? 0),
      }
      options.onProgress?.(progress)
    },
  }

  // A part that fails, on a damaged database say, must not keep the others from what they would find.
  yield* guarded('the rows', examineRows(metadata, limit), signal)
  yield* guarded('the manifests', examineManifests(examination), signal)
  yield* guarded('the blobs', examineBlobs(examination), signal)
  yield* guarded('what is left over', examineGarbage(examination), signal)
}

async function* examineRows(metadata: ExaminedMetadata, limit: number): AsyncGenerator<Finding> {
  for (const { kind, ...found } of await metadata.upkeep.inspect(limit)) yield finding(kind, found)
}

async function* guarded(
  subject: string,
  findings: AsyncIterable<Finding>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Finding> {
  try {
    yield* findings
  } catch (error) {
    signal?.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    yield finding('check-failed', { subject, message: `This could not be looked at to its end: ${reason}` })
  }
}
