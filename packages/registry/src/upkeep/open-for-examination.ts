import { join } from 'node:path'
import type { ExaminedBlobs } from '../blobs/examined-blobs.ts'
import { fileSystemExamination } from '../blobs/file-system/file-system-examination.ts'
import type { ExaminedMetadata } from '../metadata/examined-metadata.ts'
import { openSqliteExamination } from '../metadata/sqlite/sqlite-examination.ts'

export interface ExaminedStorage extends AsyncDisposable {
  readonly metadata: ExaminedMetadata
  readonly blobs: ExaminedBlobs
}

/**
 * Opens a data directory to look at it, whether a server runs on it or none. Nothing in it is made or changed, and no lock is
 * taken. Use it with `examine`, and dispose of it.
 *
 * @throws DatabaseUnusableError when there is no database, or one of another version; the message says what to do.
 */
export const openForExamination = async (directory: string): Promise<ExaminedStorage> => {
  const metadata = openSqliteExamination(join(directory, 'registry.db'))
  return {
    metadata,
    blobs: fileSystemExamination(directory),
    [Symbol.asyncDispose]: async () => metadata[Symbol.dispose](),
  }
}
