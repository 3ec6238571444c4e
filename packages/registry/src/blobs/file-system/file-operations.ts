import fs from 'node:fs'

/**
 * The system calls that carry bytes or make them durable, as promises over Node's callback functions (measurably cheaper
 * per call than `fs.promises`). A test hands in its own to let one of them fail.
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
}

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
