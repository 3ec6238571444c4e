import type { BlobStore } from '../blobs/blob-store.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { OpenUploads } from './open-uploads.ts'
import type { UnfinishedBytes } from './unfinished-bytes.ts'

export interface UploadSweepOptions {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly open: OpenUploads
  readonly unfinished: UnfinishedBytes
  /** Ids of bytes that are being received without a row. */
  readonly rowless: ReadonlySet<string>
  readonly now: () => number
}

/** How long an upload keeps its handle and digest without being used. Milliseconds. */
const keepOpen = 60_000

const hour = 3_600_000
/** Bytes without a row go when nothing was added to them for this long: nobody can be about to make the row. */
const orphanGrace = 24 * hour
/** More rows than this are not compared with what the blob store has. */
const mostRows = 100_000

/** Cleans up after uploads that nobody goes on with. Returns how many it forgot. */
export const createUploadSweep = (options: UploadSweepOptions): (() => Promise<number>) => {
  const { metadata, blobs, open, unfinished, rowless, now } = options
  let orphansDue = 0

  /** Closes handles that nobody uses. An upload that a request works on stays as it is. */
  const closeIdle = async (): Promise<void> => {
    for (const upload of open.all()) {
      const expired = upload.touchedAt < open.expiredBefore()
      if (!expired && upload.touchedAt >= now() - keepOpen) continue
      // A sweep is in no hurry, and one upload at a time bounds its load.
      const free = await open.putAside(upload)
      // A connection may have died without a word. The next sweep finds the upload free.
      if (!free && expired) upload.lock.interrupt()
    }
  }

  const expire = async (): Promise<number> => {
    let forgotten = 0
    for (;;) {
      const touchedBefore = open.expiredBefore()
      const rows = await metadata.listExpiredUploads({ touchedBefore, limit: 100 })
      let removed = 0
      for (const row of rows) {
        if (open.has(row.id)) continue
        if (!(await metadata.expireUpload(row.id, touchedBefore))) continue
        unfinished.end(row.id)
        await blobs.discardUpload(row.id, row.state)
        removed += 1
      }
      forgotten += removed
      if (removed === 0 || rows.length < 100) return forgotten
    }
  }

  /** Takes away bytes that no row points to: what a crash leaves of a single POST, or between a row's end and its bytes'. */
  const discardOrphans = async (): Promise<void> => {
    if (now() < orphansDue) return
    orphansDue = now() + hour
    const old: string[] = []
    for await (const { id, touchedAt } of blobs.listUploads()) if (touchedAt < now() - orphanGrace) old.push(id)
    if (old.length === 0) return
    // Looked up after the bytes were: a row comes before its first byte, so what has none now has none for good.
    const rows = await metadata.listExpiredUploads({ touchedBefore: Number.MAX_SAFE_INTEGER, limit: mostRows })
    if (rows.length === mostRows) return
    const known = new Set(rows.map((row) => row.id))
    for (const id of old) {
      if (known.has(id) || open.has(id) || rowless.has(id)) continue
      await blobs.discardUpload(id)
    }
  }

  return async () => {
    await closeIdle()
    const forgotten = await expire()
    unfinished.forget(open.expiredBefore(), (id) => open.has(id) || rowless.has(id))
    await discardOrphans()
    return forgotten
  }
}
