import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StowageError } from '../failure.ts'

/**
 * Makes the data directory, and what leads to it, unless it is there, and sees that it can be used. Level by level: Node's
 * recursive `mkdir` never comes back where a file system answers "no such file" for a directory whose parent exists.
 *
 * @throws StowageError
 */
export const prepareDataDirectory = async (path: string): Promise<void> => {
  try {
    await make(path)
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw cannotUse(path, cause)
  }
}

/** Turns an error of the file system or of the database into one that a person can act on; a defect stays what it is. */
export const cannotUse = (path: string, cause: unknown): unknown => {
  const why = reasonOf(cause)
  if (why === undefined) return cause
  return new StowageError('data', `The data directory ${path} cannot be used: ${why}. Choose another with --data.`, {
    cause,
  })
}

/** What the file system says, for people; undefined when it is something else. */
export const reasonOf = (cause: unknown): string | undefined => {
  const code = codeOf(cause)
  if (!(cause instanceof Error) || typeof code !== 'string') return undefined
  return reasons[code] ?? cause.message
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENOTDIR: 'there is a file of this name, or on the way to it',
  ENOENT: 'no directory can be made there',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'its symbolic links lead in a circle',
}

const make = async (path: string): Promise<void> => {
  const known = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (known !== undefined) {
    if (!known.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
    return
  }
  if (dirname(path) !== path) await make(dirname(path))
  // Whoever may read the files may read every repository.
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
