import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from '@stowage/oci'
import type { StoredBlob } from '../metadata/upkeep-store.ts'
import { type BlobState, checkBlob } from './check-blob.ts'
import type { ScrubWork } from './scrub.ts'

/** Rows of a page, and blobs that are found right before that is written. */
const atOnce = 256
/** The place is remembered as often, so that a restart repeats little. Milliseconds. */
const saveEvery = 10_000
/** A blob that has another key each time it is looked at is being pushed all the time: it is new. */
const mostKeys = 3
/** So many in a row that cannot be read are not the blobs' fault, and are better left for the next run. */
const mostUnreadable = 20

/** Looks at every blob after `last`. False when the signal aborted; then the place is remembered. */
export const scrubBlobs = async (work: ScrubWork, after: Digest | undefined): Promise<boolean> => {
  const { metadata, now, counts, signal } = work
  let last = after
  let good: StoredBlob[] = []
  let savedAt = performance.now()
  let unreadable = 0

  const save = async (): Promise<void> => {
    if (good.length > 0) await metadata.upkeep.verifiedBlobs(good, now())
    counts.healed += good.filter((blob) => blob.corruptSince !== undefined).length
    good = []
    if (last !== undefined) await work.save(last)
    savedAt = performance.now()
  }

  try {
    for (;;) {
      const page = await metadata.upkeep.listBlobs({ limit: atOnce, ...(last !== undefined && { last }) })
      for (const blob of page) {
        const found = await scrubBlob(work, blob)
        if (found.right !== undefined) good.push(found.right)
        unreadable = found.unreadable === undefined ? 0 : unreadable + 1
        if (unreadable >= mostUnreadable) {
          throw new Error('The blobs cannot be read.', { cause: found.unreadable })
        }
        last = blob.digest
        if (good.length >= atOnce || performance.now() - savedAt > saveEvery) await save()
      }
      if (page.length < atOnce) break
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    await save()
    return false
  }
  await save()
  return true
}

interface Scrubbed {
  readonly right?: StoredBlob
  readonly unreadable?: unknown
}

/** Rejects only when the signal aborts, or the metadata store fails. */
const scrubBlob = async (work: ScrubWork, listed: StoredBlob): Promise<Scrubbed> => {
  const { metadata, now, counts, logger } = work
  counts.blobs += 1
  let blob: StoredBlob | undefined = listed
  for (let keys = 0; keys < mostKeys && blob !== undefined; keys += 1) {
    const { digest, key }: StoredBlob = blob
    const found = await patiently(work, blob)
    if (found.state === 'right') return { right: blob }
    if (found.state === 'unknown') {
      counts.unreadable += 1
      logger.warn({ err: found.error, digest, key }, 'a blob could not be read, and was left for the next scrub')
      return { unreadable: found.error }
    }
    const quarantine = await metadata.upkeep.quarantineBlob({ digest, key, at: now() })
    if (quarantine === 'quarantined') work.corrupt({ digest, kind: 'blob', problem: found.problem }, { key })
    if (quarantine !== 'moved') return {}
    blob = await metadata.upkeep.storedBlob(digest)
  }
  return {}
}

/** Too many open files: of others, who are soon done with them. */
const busy: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'EAGAIN'])
const tries = 5
/** Milliseconds. */
const patience = 500

const patiently = async (work: ScrubWork, blob: StoredBlob): Promise<BlobState> => {
  const { blobs, pace, counts, signal } = work
  for (let attempt = 1; ; attempt += 1) {
    const found = await checkBlob(blobs, blob, { deep: true, pace, signal, onRead: (bytes) => (counts.bytes += bytes) })
    const code = found.state === 'unknown' && found.error instanceof Error && 'code' in found.error && found.error.code
    if (!busy.has(code) || attempt === tries) return found
    await sleep(patience, undefined, { signal })
  }
}
