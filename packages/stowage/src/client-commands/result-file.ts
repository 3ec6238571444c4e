import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StowageError } from '../failure.ts'

/** Writes a file that is there when it is whole, and not before. What is no file, such as `/dev/null`, is written to as it is. */
export const writeResultFile = async (path: string, chunks: Iterable<Uint8Array>): Promise<void> => {
  const place = await resultPlace(path)
  if (!place.isFile) return writeAll(path, 'w', chunks)
  const beside = `${place.path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeAll(beside, 'wx', chunks)
    await rename(beside, place.path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** Whether there can be such a file: to be asked before anything is read for it. @throws {StowageError} `failed`, saying why not */
export const checkResultPlace = async (path: string): Promise<void> => {
  const directory = dirname(path)
  const above = await stat(directory).catch(() => undefined)
  const there = await stat(path).catch(() => undefined)
  const problem =
    above === undefined
      ? `there is no directory ${directory}`
      : above.isDirectory()
        ? there?.isDirectory() === true && 'it is a directory'
        : `${directory} is no directory`
  if (problem !== false) throw new StowageError('failed', `${path} cannot be written: ${problem}.`)
}

/** Where a result really goes: links are followed, so that they stay. */
export const resultPlace = async (path: string): Promise<{ readonly path: string; readonly isFile: boolean }> => {
  try {
    const isFile = (await stat(path)).isFile()
    return { path: isFile ? await realpath(path) : path, isFile }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { path, isFile: true }
  }
}

const writeAll = async (path: string, flags: string, chunks: Iterable<Uint8Array>): Promise<void> => {
  const handle = await open(path, flags)
  try {
    for (const chunk of chunks) await handle.writeFile(chunk)
  } finally {
    await handle.close()
  }
}
