import { lstat, mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { ClientError } from '../../errors.ts'
import { isMissing, onFile, systemErrorCode } from '../file-errors.ts'

/** The one directory that files of others are written below. */
export interface TargetDirectory {
  /** Without links on its way. */
  readonly root: string
  /** The directory of these parts below the root, made if it is not there. @throws {ClientError} `refused` for a way through a link */
  directory(parts: readonly string[]): Promise<string>
}

/** Made if it is not there. That it may be a link itself is its owner's choice. */
export const openTargetDirectory = async (path: string): Promise<TargetDirectory> => {
  const root = await onFile(path, async () => {
    await mkdir(path, { recursive: true })
    return realpath(path)
  })
  return {
    root,
    async directory(parts) {
      let here = root
      for (const part of parts) {
        here = join(here, part)
        await ensureDirectory(here)
      }
      return here
    },
  }
}

/** Makes a directory, and takes one that is there; not a link to one. @returns whether it was made */
export const ensureDirectory = async (path: string, mode = 0o777): Promise<boolean> => {
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') await onFile(path, () => Promise.reject(error))
  }
  const stats = await onFile(path, () => lstat(path))
  if (stats.isDirectory()) return false
  throw new ClientError(
    'refused',
    `${path} is ${stats.isSymbolicLink() ? 'a link' : 'no directory'}: nothing is written below it.`,
    {
      subject: path,
      hint: 'Remove it, or pull into another directory.',
    },
  )
}

/** What is at a path; undefined when nothing is. Links are not followed. */
export const lookAt = (path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> =>
  onFile(path, async () => {
    try {
      return await lstat(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })
