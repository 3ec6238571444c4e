import { stat } from 'node:fs/promises'
import { isClientError, type Target } from '@stowage/client'
import { openDockerArchive, openLayout, openOciArchive } from '@stowage/client/node'
import { StowageError } from '../failure.ts'
import type { Tools } from './tools.ts'

/** How images are kept on a disk. */
export type ImageFileFormat = 'docker' | 'oci' | 'oci-dir'

/** What `--format` says besides text and json, in the words of crane and of others. */
export const imageFileFormats = [
  'docker',
  'oci',
  'oci-dir',
  'tarball',
  'docker-archive',
  'oci-archive',
  'ocidir',
] as const

/** The format that is meant; undefined when none was said. */
export const toImageFileFormat = (word: string | undefined): ImageFileFormat | undefined => {
  if (word === 'tarball' || word === 'docker-archive' || word === 'docker') return 'docker'
  if (word === 'oci-archive' || word === 'oci') return 'oci'
  return word === 'oci-dir' || word === 'ocidir' ? 'oci-dir' : undefined
}

/** Whether it is written as a place: `oci-archive:app.tar`. */
export const isLocalPlace = (text: string): boolean => /^(?:ocidir|oci|oci-archive|docker-archive):/.test(text)

/** Whether there is such a file, or it is a pipe that is meant. */
export const isPath = async (text: string): Promise<boolean> => {
  if (text === '-' || isLocalPlace(text)) return true
  try {
    await stat(text)
    return true
  } catch {
    return false
  }
}

/**
 * Opens images on the disk, whatever they are in: a directory with a layout, or a tar that is a layout, or what `docker save`
 * writes. What is both, as newer versions of Docker write it, is read as a layout: that keeps all platforms and digests.
 *
 * @throws {ClientError} `not-found`, `invalid-content`
 */
export const openImageFile = async (
  path: string,
  format: ImageFileFormat | undefined,
  { terminal, call }: Pick<Tools, 'terminal' | 'call'>,
): Promise<Target> => {
  const options = { input: terminal.stdin, signal: call.signal }
  if (path === '-' && terminal.stdin.isTTY === true) {
    throw new StowageError('usage', 'stdin is a terminal: pipe the archive into it, or name a file.')
  }
  if (format === 'oci-dir' || (path !== '-' && (await isDirectory(path))))
    return openLayout(path, { signal: call.signal })
  if (format === 'oci') return openOciArchive(path, options)
  // A pipe is read once: what docker save writes is more likely there.
  if (format === 'docker' || path === '-') return openDockerArchive(path, options)
  try {
    return await openOciArchive(path, options)
  } catch (error) {
    if (!isClientError(error, 'invalid-content')) throw error
    return openDockerArchive(path, options)
  }
}

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}
