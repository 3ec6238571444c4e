import type { Digest } from '@stowage/oci'
import type { UnusedBlob } from '../metadata/upkeep-store.ts'
import { canWait, type GarbageWork } from './garbage-work.ts'

/** Links that are looked at, and that go, in one step. */
const stepSize = 100

/** As many of what went or would go are named. */
const sampleSize = 1000

/** Takes blobs out of the repositories that have not used them for the grace period. */
export const collectLinks = async (work: GarbageWork): Promise<void> => {
  const { metadata, grace, at, goOn } = work
  const unusedBefore = at - grace
  let after: UnusedBlob | undefined
  while (await goOn()) {
    const page = await metadata.upkeep.listUnusedBlobs({
      unusedBefore,
      limit: stepSize,
      ...(after !== undefined && { after }),
    })
    if (work.dryRun) note(work, page)
    else if (!(await collectPage(work, page, unusedBefore))) return
    after = page.at(-1)
    if (page.length < stepSize) return
  }
}

const note = ({ tally }: GarbageWork, page: readonly UnusedBlob[]): void => {
  tally.links += page.length
  for (const { repository, digest, size, last } of page) {
    if (tally.sample.length < sampleSize) tally.sample.push({ repository, digest, size })
    if (!last) continue
    tally.blobs += 1
    tally.bytes += size
  }
}

/** One transaction for each repository of the page. False when the run is to end. */
const collectPage = async (
  { metadata, goOn, now, tally }: GarbageWork,
  page: readonly UnusedBlob[],
  unusedBefore: number,
): Promise<boolean> => {
  const byRepository = Map.groupBy(page, ({ repository }) => repository)
  let first = true
  for (const [repository, unused] of byRepository) {
    if (!first && !(await goOn())) return false
    first = false
    const digests = unused.map(({ digest }) => digest)
    try {
      const collected = await metadata.upkeep.collectBlobs({ repository, digests, unusedBefore, at: now() })
      tally.links += collected.links.length
      tally.blobs += collected.blobs
      tally.bytes += collected.bytes
      const gone = new Set<Digest>(collected.links)
      for (const { digest, size } of unused) {
        if (tally.sample.length < sampleSize && gone.has(digest)) tally.sample.push({ repository, digest, size })
      }
    } catch (error) {
      if (!canWait(error)) throw error
      tally.incomplete = true
    }
  }
  return true
}
