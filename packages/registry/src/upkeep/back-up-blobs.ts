import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createLayout, directoryMode } from '../blobs/file-system/layout.ts'
import { openConnection } from '../metadata/sqlite/connection.ts'
import type { SqliteExamination } from '../metadata/sqlite/sqlite-examination.ts'
import { listBlobs } from '../metadata/operations/scrub.ts'
import type { StoredBlob } from '../metadata/upkeep-store.ts'
import type { BackupReport } from './backup-report.ts'
import { linkOrCopy } from './link-or-copy.ts'

export interface BackUpBlobsOptions {
  /** The two data directories. */
  readonly from: string
  readonly to: string
  /** The copy of the database, which is adapted to what can be had. */
  readonly database: string
  /** The database of the registry as it is now. */
  readonly live: SqliteExamination
  readonly now: () => number
  readonly signal: AbortSignal | undefined
}

const atOnce = 500
/** Files that are linked side by side. */
const abreast = 16
/** For people. */
const mostListed = 1000
/** A blob that has another key each time it is looked for is being pushed all the time. */
const mostKeys = 5

type Brought =
  | { readonly outcome: 'brought'; readonly linked: boolean; readonly key: string }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'damaged'; readonly key: string; readonly problem: 'missing' | 'size' }

/** Brings the file of every blob that the copy of the database names, and has the copy say so where one cannot be had. */
export const backUpBlobs = async (options: BackUpBlobsOptions): Promise<BackupReport> => {
  const { from, to, database, live, now, signal } = options
  const source = createLayout(from)
  const target = createLayout(to)
  const directories = createDirectories(to)
  await directories.make(target.blobs)
  const copy = openConnection(database)
  try {
    const setKey = copy.database.prepare('update blobs set key = ?, verified_at = null where digest = ?')
    const setCorrupt = copy.database.prepare('update blobs set corrupt_since = ? where digest = ?')
    const report = { blobs: 0, bytes: 0, linked: 0, gone: 0, damaged: [] as BackupReport['damaged'][number][] }

    const bring = async ({ digest, size, key: listed }: StoredBlob): Promise<Brought> => {
      let key = listed
      for (let keys = 0; keys < mostKeys; keys += 1) {
        const file = source.blob(key)
        const name = target.blob(key)
        if (file === undefined || name === undefined) return { outcome: 'damaged', key, problem: 'missing' }
        await directories.make(dirname(name))
        const brought = await linkOrCopy(file, name, size)
        if (brought === 'linked' || brought === 'copied')
          return { outcome: 'brought', linked: brought === 'linked', key }
        if (brought === 'size') return { outcome: 'damaged', key, problem: 'size' }
        // Deleted since the copy was made, or pushed again: the registry knows.
        const found = await live.upkeep.storedBlob(digest)
        if (found === undefined) return { outcome: 'gone' }
        if (found.key === key) return { outcome: 'damaged', key, problem: 'missing' }
        key = found.key
      }
      return { outcome: 'gone' }
    }

    const note = (blob: StoredBlob, brought: Brought): void => {
      if (brought.outcome === 'brought') {
        report.blobs += 1
        report.bytes += blob.size
        if (brought.linked) report.linked += 1
        if (brought.key !== blob.key) setKey.run(brought.key, blob.digest)
        return
      }
      // What is in quarantine nobody misses.
      if (blob.corruptSince !== undefined) return
      setCorrupt.run(now(), blob.digest)
      if (brought.outcome === 'gone') {
        report.gone += 1
        return
      }
      const { key, problem } = brought
      if (report.damaged.length < mostListed) report.damaged.push({ digest: blob.digest, key, problem })
    }

    for (let last: StoredBlob['digest'] | undefined; ;) {
      const page = copy.drive(listBlobs({ limit: atOnce, ...(last !== undefined && { last }) }))
      for (let start = 0; start < page.length; start += abreast) {
        signal?.throwIfAborted()
        const blobs = page.slice(start, start + abreast)
        const brought = await Promise.all(blobs.map(bring))
        copy.database.exec('begin')
        for (const [index, blob] of blobs.entries()) {
          const one = brought[index]
          if (one !== undefined) note(blob, one)
        }
        copy.database.exec('commit')
      }
      last = page.at(-1)?.digest
      if (page.length < atOnce) break
    }
    // Their bytes are not in the backup: who goes on with one is to hear so at once.
    copy.database.exec('delete from uploads')
    // Nor are those of what was garbage, whose directories may not be there either.
    copy.database.exec('delete from blob_garbage')
    await directories.sync()
    return report
  } finally {
    copy.close()
  }
}

/** Makes directories below one that is there, and remembers which are to be synced. */
const createDirectories = (root: string) => {
  const made = new Map<string, Promise<unknown>>()
  const touched = new Set<string>([root])
  const make = async (path: string): Promise<void> => {
    if (path === root) return
    let making = made.get(path)
    if (making === undefined) {
      making = make(dirname(path)).then(async () => mkdir(path, { mode: directoryMode, recursive: true }))
      made.set(path, making)
      touched.add(path)
    }
    await making
  }
  return {
    make,
    /** Makes every entry durable, from the inside out. */
    sync: async (): Promise<void> => {
      if (process.platform === 'win32') return
      for (const path of [...touched].toSorted((one, other) => other.length - one.length)) {
        const handle = await open(path, 'r')
        try {
          await handle.sync()
        } finally {
          await handle.close()
        }
      }
    },
  }
}
