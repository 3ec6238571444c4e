import type { Digest } from '@stowage/oci'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { createPace } from './pace.ts'
import { scrubBlobs } from './scrub-blobs.ts'
import { scrubManifests } from './scrub-manifests.ts'
import { beginning, readPlace, type ScrubPlace, writePlace } from './scrub-place.ts'
import type { CorruptContent, ScrubReport, ScrubRun } from './upkeep.ts'

export interface ScrubOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Bytes a second; 0: no limit. */
  readonly rate: number
  readonly logger: Logger
  readonly now: () => number
}

/** What one run has found so far, and how it goes on. */
export interface ScrubWork extends ScrubOptions {
  readonly pace: ReturnType<typeof createPace>
  readonly signal: AbortSignal | undefined
  readonly counts: { blobs: number; bytes: number; manifests: number; healed: number; unreadable: number }
  /** Tells of content that has just been put in quarantine. */
  readonly corrupt: (content: CorruptContent, facts: object) => void
  /** Remembers how far the run has come: everything up to and with `last` was looked at. */
  readonly save: (last: Digest) => Promise<void>
}

/** For people; the log has all. */
const mostListed = 1000

/** One pass over everything that is stored, or what is left of the last one. Ends early, with what it did, when its signal aborts. */
export const createScrub = (options: ScrubOptions): ((run: ScrubRun) => Promise<ScrubReport>) => {
  const { metadata, logger } = options

  return async (run) => {
    let place: ScrubPlace = run.fromStart === true ? beginning : await readPlace(metadata.upkeep)
    const counts = { blobs: 0, bytes: 0, manifests: 0, healed: 0, unreadable: 0 }
    const corrupt: CorruptContent[] = []
    const move = async (to: ScrubPlace): Promise<void> => {
      await writePlace(metadata.upkeep, to)
      place = to
    }
    const work: ScrubWork = {
      ...options,
      pace: createPace(run.rate ?? options.rate),
      signal: run.signal,
      counts,
      corrupt: (content, facts) => {
        logger.error(
          { ...content, ...facts },
          'stored bytes are wrong or missing: the content is in quarantine until a push brings it again',
        )
        if (corrupt.length < mostListed) corrupt.push(content)
      },
      save: async (last) => move({ phase: place.phase, last }),
    }

    if (place.phase === 'blobs' && (await scrubBlobs(work, place.last))) await move({ phase: 'manifests' })
    const complete = place.phase === 'manifests' && (await scrubManifests(work, place.last))
    if (complete) await move(beginning)
    return { ...counts, corrupt, incomplete: !complete }
  }
}
