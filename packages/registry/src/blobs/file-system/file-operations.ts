import fs from 'node:fs'

/**
 * The only door from the blob store to the file system, as promises over Node's callback functions (measurably cheaper per
 * call than `fs.promises`). A test hands in its own, to let a call fail or to stand in for the disk: nothing else here may
 * import `node:fs`, or a simulated power cut would not cut it.
 */
export interface FileOperations {
  open: (path: string, flags: number, mode?: number) => Promise<number>
  close: (fd: number) => Promise<void>
  /** How many bytes the file has. */
  size: (fd: number) => Promise<number>
  /** Fills `buffer` from `position` on, as far as the file reaches. Returns the number of bytes read; 0 at the end. */
  read: (fd: number, buffer: Uint8Array, position: number) => Promise<number>
  /** Returns the number of bytes written, which may be less than there are. */
  write: (fd: number, chunks: readonly Uint8Array[], position: number) => Promise<number>
  truncate: (fd: number, size: number) => Promise<void>
  sync: (fd: number) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  unlink: (path: string) => Promise<void>
  /** Makes one directory, whose parent is there. */
  mkdir: (path: string, mode: number) => Promise<void>
  /** Removes a directory in which nothing is. */
  rmdir: (path: string) => Promise<void>
  /** What is at the path itself, be it a link. */
  lstat: (path: string) => Promise<FileFacts>
  /** What is where the path leads. */
  stat: (path: string) => Promise<FileFacts>
  /** What is in a directory, in no order, read as it is asked for. What comes and goes meanwhile may be missed. */
  list: (path: string) => AsyncIterable<DirectoryEntry>
  /** Bytes of the file system that a path is on, and those that this process may still write. */
  room: (path: string) => Promise<{ readonly free: number; readonly total: number }>
}

export type FileKind = 'file' | 'directory' | 'link' | 'other'

export interface DirectoryEntry {
  readonly name: string
  readonly kind: FileKind
}

export interface FileFacts {
  readonly kind: FileKind
  /** Bytes. */
  readonly size: number
  /** When the content was changed last, whole milliseconds since the epoch. */
  readonly modifiedAt: number
  /** When anything of it was changed last, its name too. */
  readonly changedAt: number
  readonly mode: number
  /** Of the file system it is on. */
  readonly device: number
}

export const fileOperations: FileOperations = {
  open: (path, flags, mode) => new Promise((resolve, reject) => fs.open(path, flags, mode, settle(resolve, reject))),
  close: (fd) => new Promise((resolve, reject) => fs.close(fd, settleEmpty(resolve, reject))),
  size: async (fd) => (await new Promise<fs.Stats>((resolve, reject) => fs.fstat(fd, settle(resolve, reject)))).size,
  read: (fd, buffer, position) =>
    new Promise((resolve, reject) => fs.read(fd, buffer, 0, buffer.byteLength, position, settle(resolve, reject))),
  write: (fd, chunks, position) =>
    new Promise((resolve, reject) => {
      const [first] = chunks
      if (chunks.length === 1 && first !== undefined) {
        fs.write(fd, first, 0, first.byteLength, position, settle(resolve, reject))
      } else {
        fs.writev(fd, chunks, position, settle(resolve, reject))
      }
    }),
  truncate: (fd, size) => new Promise((resolve, reject) => fs.ftruncate(fd, size, settleEmpty(resolve, reject))),
  sync: (fd) => new Promise((resolve, reject) => fs.fsync(fd, settleEmpty(resolve, reject))),
  rename: (from, to) => new Promise((resolve, reject) => fs.rename(from, to, settleEmpty(resolve, reject))),
  unlink: (path) => new Promise((resolve, reject) => fs.unlink(path, settleEmpty(resolve, reject))),
  mkdir: (path, mode) => new Promise((resolve, reject) => fs.mkdir(path, { mode }, settleEmpty(resolve, reject))),
  rmdir: (path) => new Promise((resolve, reject) => fs.rmdir(path, settleEmpty(resolve, reject))),
  lstat: async (path) =>
    factsOf(await new Promise<fs.Stats>((resolve, reject) => fs.lstat(path, settle(resolve, reject)))),
  stat: async (path) =>
    factsOf(await new Promise<fs.Stats>((resolve, reject) => fs.stat(path, settle(resolve, reject)))),
  async *list(path) {
    for await (const entry of await fs.promises.opendir(path)) yield { name: entry.name, kind: kindOf(entry) }
  },
  room: async (path) => {
    const { bsize, blocks, bavail } = await new Promise<fs.StatsFs>((resolve, reject) =>
      fs.statfs(path, settle(resolve, reject)),
    )
    return { free: bavail * bsize, total: blocks * bsize }
  },
}

const kindOf = (found: fs.Stats | fs.Dirent): FileKind => {
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'directory'
  return found.isSymbolicLink() ? 'link' : 'other'
}

const factsOf = (stats: fs.Stats): FileFacts => ({
  kind: kindOf(stats),
  size: stats.size,
  modifiedAt: Math.trunc(stats.mtimeMs),
  changedAt: Math.trunc(stats.ctimeMs),
  mode: stats.mode,
  device: stats.dev,
})

/** A callback in Node's manner that settles a promise. */
const settle =
  <T>(resolve: (value: T) => void, reject: (error: Error) => void) =>
  (error: Error | null, value: T): void => {
    if (error === null) resolve(value)
    else reject(error)
  }

const settleEmpty =
  (resolve: () => void, reject: (error: Error) => void) =>
  (error: Error | null): void => {
    if (error === null) resolve()
    else reject(error)
  }

/** The code of a system error, such as `ENOENT`. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
