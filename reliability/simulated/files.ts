import { constants } from 'node:fs'
import type {
  DirectoryEntry,
  FileFacts,
  FileOperations,
} from '../../packages/registry/src/blobs/file-system/file-operations.ts'
import type { DiskEvent, Image, NameChange } from './image.ts'

export interface SimulatedFilesOptions {
  readonly image: Image
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Told of everything that happens, when it happens. */
  readonly log: (event: DiskEvent) => void
  /** Awaited before and after each call has its effect, so that calls overlap. */
  readonly pause?: () => Promise<void>
  /** Bytes that a write takes at most: it may always take fewer than it was given. */
  readonly mostAtOnce?: number
  /** Whether this fsync fails, and its bytes are lost. */
  readonly failSync?: (kind: 'file' | 'directory') => boolean
  /** Whether this fsync does nothing and says that it did: for a control. */
  readonly skipSync?: (kind: 'file' | 'directory') => boolean
}

export interface SimulatedFiles extends FileOperations {
  /** The disk as the running system sees it. */
  snapshot(): Image
}

const fault = (code: string, what: string): Error => Object.assign(new Error(`${code}: simulated, ${what}`), { code })

const device = 1

/** Never the same twice, also when a disk is mounted again. */
let syncIds = 0

/**
 * The file system of a machine that runs: each call has its whole effect at one moment, as it does for whoever watches a real
 * one. What of it survives a power cut is for `createPlatter` to say.
 */
export const createSimulatedFiles = (options: SimulatedFilesOptions): SimulatedFiles => {
  const { image, clock, log, pause = async () => {}, mostAtOnce = Infinity, failSync, skipSync } = options
  const directories = new Map<number, Map<string, number>>()
  const files = new Map(image.files)
  const times = new Map<number, { modifiedAt: number; changedAt: number }>()
  const mountedAt = clock()
  const descriptors = new Map<number, number>()
  let next = image.next
  let nextDescriptor = 3

  const namesOf = (inode: number): ReadonlyMap<string, number> | undefined =>
    directories.get(inode) ?? image.directories.get(inode)

  const change = ({ directory, name, inode }: NameChange): void => {
    let names = directories.get(directory)
    if (names === undefined) {
      names = new Map(image.directories.get(directory))
      directories.set(directory, names)
    }
    if (inode === undefined) names.delete(name)
    else names.set(name, inode)
  }

  const find = (path: string): number => {
    let inode = image.root
    for (const name of path.split('/').filter((part) => part !== '')) {
      const names = namesOf(inode)
      if (names === undefined) throw fault('ENOTDIR', path)
      const child = names.get(name)
      if (child === undefined) throw fault('ENOENT', path)
      inode = child
    }
    return inode
  }

  const place = (path: string): { directory: number; name: string; inode: number | undefined } => {
    const at = path.lastIndexOf('/')
    const directory = find(path.slice(0, at))
    const names = namesOf(directory)
    if (names === undefined) throw fault('ENOTDIR', path)
    const name = path.slice(at + 1)
    return { directory, name, inode: names.get(name) }
  }

  const make = (path: string, directory: boolean): number => {
    const at = place(path)
    if (at.inode !== undefined) throw fault('EEXIST', path)
    const inode = next
    next += 1
    if (directory) directories.set(inode, new Map())
    else files.set(inode, new Uint8Array(0))
    touch(inode)
    const entry = { directory: at.directory, name: at.name, inode }
    change(entry)
    log({ kind: 'make', inode, directory, change: entry })
    return inode
  }

  const touch = (inode: number): void => {
    times.set(inode, { modifiedAt: clock(), changedAt: clock() })
  }

  const inodeOf = (fd: number): number => {
    const inode = descriptors.get(fd)
    if (inode === undefined) throw fault('EBADF', String(fd))
    return inode
  }

  const contentOf = (fd: number): [number, Uint8Array] => {
    const inode = inodeOf(fd)
    const bytes = files.get(inode)
    if (bytes === undefined) throw fault('EISDIR', String(fd))
    return [inode, bytes]
  }

  const factsOf = (inode: number): FileFacts => ({
    kind: files.has(inode) ? 'file' : 'directory',
    size: files.get(inode)?.byteLength ?? 0,
    modifiedAt: times.get(inode)?.modifiedAt ?? mountedAt,
    changedAt: times.get(inode)?.changedAt ?? mountedAt,
    mode: files.has(inode) ? 0o100600 : 0o40700,
    device,
  })

  /** One call: something may come between it and its effect, and between its effect and the news of it. */
  const call = async <T>(effect: () => T): Promise<T> => {
    await pause()
    const result = effect()
    await pause()
    return result
  }

  const namesChanged = (changes: readonly NameChange[]): void => {
    for (const each of changes) change(each)
    log({ kind: 'names', changes })
  }

  return {
    open: async (path, flags) =>
      call(() => {
        const inode = (flags & constants.O_CREAT) === 0 ? find(path) : make(path, false)
        const fd = nextDescriptor
        nextDescriptor += 1
        descriptors.set(fd, inode)
        return fd
      }),
    close: async (fd) =>
      call(() => {
        inodeOf(fd)
        descriptors.delete(fd)
      }),
    size: async (fd) => call(() => contentOf(fd)[1].byteLength),
    read: async (fd, buffer, position) =>
      call(() => {
        const piece = contentOf(fd)[1].subarray(position, position + buffer.byteLength)
        buffer.set(piece)
        return piece.byteLength
      }),
    write: async (fd, chunks, position) =>
      call(() => {
        const [file, before] = contentOf(fd)
        const all = Buffer.concat(chunks)
        const bytes = all.subarray(0, Math.min(all.byteLength, mostAtOnce))
        files.set(file, written(before, bytes, position))
        touch(file)
        log({ kind: 'write', file, position, bytes })
        return bytes.byteLength
      }),
    truncate: async (fd, size) =>
      call(() => {
        const [file, before] = contentOf(fd)
        files.set(file, truncated(before, size))
        touch(file)
        log({ kind: 'truncate', file, size })
      }),
    sync: async (fd) => {
      const inode = inodeOf(fd)
      const kind = files.has(inode) ? 'file' : 'directory'
      if (skipSync?.(kind) === true) {
        await pause()
        return
      }
      const id = syncIds
      syncIds += 1
      log({ kind: 'sync-begin', inode, id })
      await pause()
      const failed = failSync?.(kind) === true
      log({ kind: 'sync-end', id, failed })
      await pause()
      if (failed) throw fault('EIO', 'fsync')
    },
    rename: async (from, to) =>
      call(() => {
        const [source, target] = [place(from), place(to)]
        if (source.inode === undefined) throw fault('ENOENT', from)
        const { modifiedAt } = factsOf(source.inode)
        times.set(source.inode, { modifiedAt, changedAt: clock() })
        namesChanged([
          { directory: target.directory, name: target.name, inode: source.inode },
          { directory: source.directory, name: source.name, inode: undefined },
        ])
      }),
    unlink: async (path) =>
      call(() => {
        const at = place(path)
        if (at.inode === undefined) throw fault('ENOENT', path)
        if (!files.has(at.inode)) throw fault('EISDIR', path)
        namesChanged([{ directory: at.directory, name: at.name, inode: undefined }])
      }),
    mkdir: async (path) =>
      call(() => {
        make(path, true)
      }),
    rmdir: async (path) =>
      call(() => {
        const at = place(path)
        if (at.inode === undefined) throw fault('ENOENT', path)
        const names = namesOf(at.inode)
        if (names === undefined) throw fault('ENOTDIR', path)
        if (names.size > 0) throw fault('ENOTEMPTY', path)
        namesChanged([{ directory: at.directory, name: at.name, inode: undefined }])
      }),
    lstat: async (path) => call(() => factsOf(find(path))),
    stat: async (path) => call(() => factsOf(find(path))),
    async *list(path): AsyncIterable<DirectoryEntry> {
      const names = await call(() => {
        const found = namesOf(find(path))
        if (found === undefined) throw fault('ENOTDIR', path)
        return [...found]
      })
      for (const [name, inode] of names) yield { name, kind: files.has(inode) ? 'file' : 'directory' }
    },
    // It does not know its size.
    room: async () => ({ free: 0, total: 0 }),
    snapshot: () => ({
      root: image.root,
      directories: new Map([...image.directories, ...directories]),
      files: new Map(files),
      next,
    }),
  }
}

export const written = (before: Uint8Array, bytes: Uint8Array, position: number): Uint8Array => {
  const after = new Uint8Array(Math.max(before.byteLength, position + bytes.byteLength))
  after.set(before)
  after.set(bytes, position)
  return after
}

export const truncated = (before: Uint8Array, size: number): Uint8Array => {
  const after = new Uint8Array(size)
  after.set(before.subarray(0, size))
  return after
}
