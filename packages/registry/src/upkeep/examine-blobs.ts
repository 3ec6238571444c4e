import type { StoredBlob } from '../metadata/upkeep-store.ts'
import { type BlobState, checkBlob } from './check-blob.ts'
import type { Examination } from './examine.ts'
import { type Finding, finding, type FindingKind } from './finding.ts'

const atOnce = 500
/** A blob that has another key each time it is looked at is being pushed all the time: it is new. */
const mostKeys = 3

const kinds = {
  missing: 'blob-missing',
  size: 'blob-size',
  digest: 'blob-digest',
  unreadable: 'blob-unreadable',
} as const satisfies Record<string, FindingKind>

/** I2: every blob has its bytes. */
export async function* examineBlobs(examination: Examination): AsyncGenerator<Finding> {
  const { metadata, signal, count } = examination
  for (let last: StoredBlob['digest'] | undefined; ;) {
    const page = await metadata.upkeep.listBlobs({ limit: atOnce, ...(last !== undefined && { last }) })
    for (const blob of page) {
      signal?.throwIfAborted()
      // Which is noted, and nobody gets it.
      if (blob.corruptSince === undefined) {
        const found = await examineBlob(examination, blob)
        if (found !== undefined) yield found
      }
      count({ blobs: 1 })
      last = blob.digest
    }
    if (page.length < atOnce) return
  }
}

const examineBlob = async (examination: Examination, listed: StoredBlob): Promise<Finding | undefined> => {
  const { metadata, blobs, deep, pace, signal, count } = examination
  let blob = listed
  for (let keys = 0; keys < mostKeys; keys += 1) {
    const found = await checkBlob(blobs, blob, { deep, pace, signal, onRead: (bytes) => count({ bytes }) })
    if (found.state === 'right') return undefined
    // On a store in use it may have been deleted, or pushed again, since the row was read.
    const again = await metadata.upkeep.storedBlob(blob.digest)
    if (again === undefined || again.corruptSince !== undefined) return undefined
    if (again.key === blob.key) return told(blob, found)
    blob = again
  }
  return undefined
}

const told = ({ digest, key }: StoredBlob, found: Exclude<BlobState, { readonly state: 'right' }>): Finding => {
  if (found.state === 'corrupt') {
    return finding(kinds[found.problem], { subject: digest, message: `${found.message} It is kept under ${key}.` })
  }
  const reason = found.error instanceof Error ? found.error.message : String(found.error)
  return finding('blob-unreadable', { subject: digest, message: `Its bytes cannot be read: ${reason}` })
}
