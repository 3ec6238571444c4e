import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ClientError } from '../errors.ts'
import { codeOf, type FileContent, fileVersion, isAbsent, readSmallFile } from './read-file.ts'

/** The edits that run or wait in this process, by file. */
const lanes = new Map<string, Promise<unknown>>()

/** How often an edit is made anew because another program was faster. */
const mostAttempts = 10

/**
 * Changes a file of secrets: `edit` gets its text (`undefined` if there is none) and gives the new one, or the same one to
 * leave it alone. It may be called again, when another program has written the file meanwhile.
 *
 * The new file has mode 0600 and takes the old one's place by a rename, when all its bytes are on the disk: a crash leaves the
 * one or the other. A symbolic link stays, and what it points to is replaced. Directories that are missing are made with mode
 * 0700. In one process, one edit runs at a time.
 *
 * @throws {ClientError} `invalid-content` when the file cannot be read or written
 */
export const replaceFile = async (
  path: string,
  edit: (text: string | undefined) => string | undefined,
): Promise<void> => {
  const target = await targetOf(path)
  const lane = (lanes.get(target) ?? Promise.resolve()).then(() => replace(target, edit))
  const settled = lane.catch(() => {})
  lanes.set(target, settled)
  try {
    await lane
  } finally {
    if (lanes.get(target) === settled) lanes.delete(target)
  }
}

const replace = async (path: string, edit: (text: string | undefined) => string | undefined): Promise<void> => {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const before = await readSmallFile(path)
    const text = edit(before?.text)
    if (text === undefined || text === before?.text) return
    try {
      if (await put(path, text, before)) return
    } catch (error) {
      if (error instanceof ClientError) throw error
      throw new ClientError('invalid-content', `${path} cannot be written (${codeOf(error)}).`, { subject: path })
    }
  }
  throw new ClientError('timeout', `${path} is written by another program all the time.`, {
    subject: path,
    hint: 'Try again.',
  })
}

/** Whether it was put: it is not if the file is not what it was before. */
const put = async (path: string, text: string, before: FileContent | undefined): Promise<boolean> => {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const temporary = join(directory, `.${basename(path)}.${randomUUID()}`)
  let renamed = false
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await keepOwner(path, file)
    await file.writeFile(text)
    await file.sync()
    if ((await fileVersion(path)) !== before?.version) return false
    await rename(temporary, path)
    renamed = true
  } finally {
    if (!renamed) await rm(temporary, { force: true })
  }
  await syncDirectory(directory)
  return true
}

/** Root may write for somebody else, who must be able to read it afterwards. Others cannot give files away, and need not. */
const keepOwner = async (path: string, file: FileHandle): Promise<void> => {
  try {
    const { uid, gid } = await stat(path)
    await file.chown(uid, gid)
  } catch {
    // There was none, or it stays the writer's own.
  }
}

/** Without it a crash could undo the rename. Windows cannot do it, and does not need it. */
const syncDirectory = async (directory: string): Promise<void> => {
  try {
    await using handle = await open(directory)
    await handle.sync()
  } catch {
    // The file is complete either way.
  }
}

/** The file itself, where the path is a symbolic link, even one to a file that is not there yet. */
const targetOf = async (path: string, links = 0): Promise<string> => {
  try {
    return await realpath(path)
  } catch (error) {
    if (!isAbsent(error) || links > 40) {
      throw new ClientError('invalid-content', `${path} cannot be reached (${codeOf(error)}).`, { subject: path })
    }
  }
  try {
    return await targetOf(resolve(dirname(path), await readlink(path)), links + 1)
  } catch (error) {
    if (error instanceof ClientError) throw error
    const directory = await realpath(dirname(path)).catch(() => resolve(dirname(path)))
    return join(directory, basename(path))
  }
}
