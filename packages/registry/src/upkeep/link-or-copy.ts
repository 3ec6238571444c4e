import { constants } from 'node:fs'
import { copyFile, link, lstat, open, rm } from 'node:fs/promises'

/**
 * Makes `to` a name of the file, or a durable copy of it where that cannot be: on another file system, say.
 *
 * @returns `missing` when there is no such file, `size` when it has not as many bytes; then there is nothing at `to`.
 */
export const linkOrCopy = async (
  from: string,
  to: string,
  size: number,
): Promise<'linked' | 'copied' | 'missing' | 'size'> => {
  try {
    const way = await bring(from, to)
    const found = await lstat(to)
    if (found.isFile() && found.size === size) return way
    await rm(to)
    return found.isFile() ? 'size' : 'missing'
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return 'missing'
    throw error
  }
}

/** Where a file can have no further name: another file system, one without links, one that allows no more of them. */
const noLink = new Set(['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

const bring = async (from: string, to: string): Promise<'linked' | 'copied'> => {
  try {
    await link(from, to)
    return 'linked'
  } catch (error) {
    if (!noLink.has(codeOf(error) ?? '')) throw error
  }
  // As a clone of it, where the file system can make one.
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const copy = await open(to, 'r+')
  try {
    await copy.chmod(0o600)
    await copy.sync()
  } finally {
    await copy.close()
  }
  return 'copied'
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code
