import { ClientError, type ClientErrorCode } from '../errors.ts'

/** The code of a system error, such as `ENOENT`. */
export const systemErrorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/** Whether the error says that a file is not there. */
export const isMissing = (error: unknown): boolean => {
  const code = systemErrorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const meanings: Readonly<Record<string, readonly [ClientErrorCode, string, string?]>> = {
  ENOENT: ['not-found', 'is not there'],
  ENOTDIR: ['not-found', 'is not there: a part of its path is no directory'],
  EISDIR: ['invalid-content', 'is a directory, where a file is wanted'],
  ELOOP: ['invalid-content', 'is a symbolic link, which is not followed here'],
  EACCES: ['denied', 'may not be opened', 'Check the permissions of the file and of the directories above it.'],
  EPERM: ['denied', 'may not be changed', 'Check the permissions of the file and of the directory it is in.'],
  EROFS: ['denied', 'is on a file system that cannot be written to'],
  ENOSPC: ['file', 'cannot be written: the disk is full', 'Make room, or write to another disk.'],
  EDQUOT: ['file', 'cannot be written: the quota is used up', 'Make room, or write to another disk.'],
  EFBIG: ['file', 'cannot be written: the file system takes no file so large'],
}

/**
 * What the system said of a file, as an error of this package. Other errors stay as they are: what threw them knows better.
 *
 * @param path The file as a person knows it.
 */
export const fileError = (error: unknown, path: string): Error => {
  const code = systemErrorCode(error)
  if (code === undefined) return error instanceof Error ? error : new Error(String(error))
  const [meaning, text, hint] = meanings[code] ?? ['file', `cannot be used: the system says ${code}`]
  return new ClientError(meaning, `${path} ${text}.`, {
    subject: path,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Runs what touches a file, with errors that name it. */
export const onFile = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw fileError(error, path)
  }
}
