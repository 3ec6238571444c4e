import { type FileOperations, fileOperations } from '../../packages/registry/src/blobs/file-system/file-operations.ts'

export type CallName = keyof FileOperations

export const calls = Object.keys(fileOperations) as CallName[]

/** `short`: fewer bytes than were given or asked for. `after`: done, and then said to have failed. */
export const faultKinds = ['EIO', 'EIO after', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EINTR', 'short'] as const

export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  readonly call: CallName
  /** The call from now on that fails, from 1 on. */
  readonly at: number
  readonly kind: FaultKind
  /** Whether all after it fail too. */
  readonly stays: boolean
}

export interface FaultyFiles {
  readonly files: FileOperations
  arm(fault: Fault): void
  /** @returns for each call that failed what it was made for: a path, as far as that is known. */
  disarm(): readonly string[]
  /** How often each call was made since this was asked last. */
  counts(): ReadonlyMap<CallName, number>
}

export const applies = (call: CallName, kind: FaultKind): boolean => {
  if (kind === 'short') return call === 'write' || call === 'read'
  // A directory that is read has no moment after which it was.
  return kind !== 'EIO after' || call !== 'list'
}

const half = (count: number): number => Math.max(1, count >> 1)

/** The real file system, of which one call fails as it is told to. */
export const createFaultyFiles = (): FaultyFiles => {
  let armed: Fault | undefined
  let seen = 0
  let failed: string[] = []
  const paths = new Map<number, string>()
  let counts = new Map<CallName, number>()

  const due = (call: CallName, on: unknown): FaultKind | undefined => {
    counts.set(call, (counts.get(call) ?? 0) + 1)
    if (armed?.call !== call) return undefined
    seen += 1
    if (armed.stays ? seen < armed.at : seen !== armed.at) return undefined
    failed.push(typeof on === 'number' ? (paths.get(on) ?? '') : String(on))
    return armed.kind
  }

  const errorOf = (kind: FaultKind, call: CallName): Error => {
    const [code = ''] = kind.split(' ')
    return Object.assign(new Error(`${code}: injected, ${call}`), { code })
  }

  const wrap = <Args extends unknown[], T>(
    call: CallName,
    real: (...args: Args) => Promise<T>,
    short: (...args: Args) => Promise<T> = real,
  ) => {
    return async (...args: Args): Promise<T> => {
      const kind = due(call, args[0])
      if (kind === undefined) return real(...args)
      if (kind === 'short') return short(...args)
      if (kind === 'EIO after') {
        const result = await real(...args)
        // A descriptor that nobody hears of is a fault of the test.
        if (call === 'open') await fileOperations.close(result as number)
      }
      throw errorOf(kind, call)
    }
  }

  const { open, close, size, read, write, truncate, sync, rename, unlink, mkdir, rmdir, lstat, stat, list, room } =
    fileOperations
  return {
    files: {
      open: wrap('open', async (path, flags, mode) => {
        const fd = await open(path, flags, mode)
        paths.set(fd, path)
        return fd
      }),
      close: wrap('close', close),
      size: wrap('size', size),
      read: wrap('read', read, async (fd, buffer, position) =>
        read(fd, buffer.subarray(0, half(buffer.byteLength)), position),
      ),
      write: wrap('write', write, async (fd, chunks, position) => {
        const all = Buffer.concat(chunks)
        return write(fd, [all.subarray(0, half(all.byteLength))], position)
      }),
      truncate: wrap('truncate', truncate),
      sync: wrap('sync', sync),
      rename: wrap('rename', rename),
      unlink: wrap('unlink', unlink),
      mkdir: wrap('mkdir', mkdir),
      rmdir: wrap('rmdir', rmdir),
      lstat: wrap('lstat', lstat),
      stat: wrap('stat', stat),
      async *list(path) {
        const kind = due('list', path)
        if (kind !== undefined) throw errorOf(kind, 'list')
        yield* list(path)
      },
      room: wrap('room', room),
    },
    arm: (fault) => {
      armed = fault
      seen = 0
      failed = []
    },
    disarm: () => {
      armed = undefined
      return failed
    },
    counts: () => {
      const before = counts
      counts = new Map()
      return before
    },
  }
}
