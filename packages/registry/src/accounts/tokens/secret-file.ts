import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionsError } from '../../errors.ts'

const fileName = 'secret.key'

/** Windows has no such flag. */
const noFollow = constants.O_NOFOLLOW ?? 0

/**
 * The secret in the data directory: 64 hex digits in a file that only its owner can read. Made when there is none.
 *
 * @throws Error when it is a symbolic link, when others can read it, or when it is not what was written.
 */
export const openSecretFile = async (directory: string): Promise<string> => {
  const there = await readSecretFile(directory)
  if (there !== undefined) return there
  const path = join(directory, fileName)
  await make(directory, path)
  const made = await read(path)
  if (made === undefined) throw new OptionsError(`${path} was removed while it was made. Start again.`)
  return made
}

/** The secret that is there; undefined when there is none. @throws as `openSecretFile` */
export const readSecretFile = async (directory: string): Promise<string | undefined> => read(join(directory, fileName))

const read = async (path: string): Promise<string | undefined> => {
  // Without waiting: a named pipe in its place would hold up the start for ever.
  const opened = await open(path, constants.O_RDONLY | noFollow | constants.O_NONBLOCK).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    if (codeOf(error) === 'ELOOP') {
      throw new OptionsError(
        `${path} is a symbolic link. Whoever can change it decides which secret is used: put the file there itself.`,
        { cause: error },
      )
    }
    throw error
  })
  if (opened === undefined) return undefined
  await using file = opened
  const stats = await file.stat()
  if (!stats.isFile()) throw new OptionsError(`${path} is not a file. Move it away.`)
  // Windows has no such bits; Node makes them up.
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    throw new OptionsError(
      `${path} can be read or written by others (mode ${(stats.mode & 0o7777).toString(8)}). Run: chmod 600 ${path}`,
    )
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0)
  const text = buffer.toString('latin1', 0, bytesRead)
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw new OptionsError(
      `${path} does not hold the secret that was written there. Bring it back from a backup, or remove it: a new one is ` +
        'made, and Bearer tokens of the moment end.',
    )
  }
  return text.slice(0, 64)
}

/** Written beside its place and linked into it: a crash leaves the whole file or none, and of two starts one makes it. */
const make = async (directory: string, path: string): Promise<void> => {
  const beside = `${path}.${randomBytes(8).toString('hex')}`
  try {
    const file = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o600)
    try {
      await file.writeFile(`${randomBytes(32).toString('hex')}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await moveInto(beside, path)
  } finally {
    await rm(beside, { force: true })
  }
  await syncDirectory(directory)
}

const moveInto = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (error) {
    // The other start made it.
    if (codeOf(error) === 'EEXIST') return
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error
    // A file system without hard links. One process owns the directory, so nothing is replaced here.
    await rename(from, to)
  }
}

const syncDirectory = async (directory: string): Promise<void> => {
  // Windows cannot open a directory for this; NTFS journals its entries.
  if (process.platform === 'win32') return
  await using opened = await open(directory, constants.O_RDONLY)
  await opened.sync()
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code
