import type { StoredBytes } from '../blobs/blob-store.ts'
import type { GarbageWork } from './garbage-work.ts'

/** Files that are looked at in one step. */
const stepSize = 500

const hour = 3_600_000

/**
 * Deletes files that no row points to: what a crash leaves between the bytes and the row, and between the end of a row and
 * that of its bytes.
 *
 * The row of a push comes after its file has its name, and until then the file looks like that. So only files count that have
 * had their name for the grace period, and for an hour at least: a push that is still on its way to its row after an hour has
 * failed long since. A key is never used twice, so that a file without a row now has none for good.
 *
 * @returns whether it came to the end.
 */
export const collectOrphans = async (work: GarbageWork): Promise<boolean> => {
  const { blobs, exclusive, grace, at } = work
  const storedBefore = exclusive ? at : at - Math.max(grace, hour)
  if (!(await work.goOn())) return false
  let old: StoredBytes[] = []
  let seen = 0
  for await (const file of blobs.listBlobs()) {
    seen += 1
    if (file.storedAt < storedBefore) old.push(file)
    if (seen % stepSize !== 0) continue
    await discard(work, old)
    old = []
    if (!(await work.goOn())) return false
  }
  await discard(work, old)
  return true
}

const discard = async (
  { metadata, blobs, dryRun, logger, tally }: GarbageWork,
  files: readonly StoredBytes[],
): Promise<void> => {
  if (files.length === 0) return
  // Asked after the files were listed: a row that comes later is of a file that is younger.
  const known = new Set(await metadata.upkeep.knownKeys(files.map(({ key }) => key)))
  for (const { key, size } of files) {
    if (known.has(key)) continue
    try {
      if (!dryRun) await blobs.delete(key)
    } catch (error) {
      // One file that cannot be deleted must not keep all the others on the disk.
      logger.error({ err: error, key }, 'a file without a row could not be deleted; it will be tried again')
      tally.incomplete = true
      continue
    }
    tally.orphans += 1
    tally.orphanBytes += size
  }
}
