import { resolve } from 'node:path'
import type { ExaminedBlobs } from '../examined-blobs.ts'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { createLayout } from './layout.ts'
import { createStoredFiles } from './stored-files.ts'

/** Looks at the files below a data directory, also while a server has it open. Nothing is made or changed. */
export const fileSystemExamination = (root: string, files: FileOperations = fileOperations): ExaminedBlobs => {
  const { inspect, listBlobs, listUploads } = createStoredFiles(files, createLayout(resolve(root)))
  return { inspect, listBlobs, listUploads }
}
