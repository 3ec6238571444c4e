import type { Random } from '../random.ts'
import { truncated, written } from './files.ts'
import type { DiskEvent, Image, NameChange } from './image.ts'

/**
 * What of a disk would survive a power cut: what was there, what an fsync has made durable since, and of the rest anything.
 * Nothing that a real file system promises beyond POSIX is counted on: the new name of a rename may be there without the old
 * one gone, or the other way round; a name may be there without the bytes, a late write without an early one.
 */
export interface Platter {
  apply(event: DiskEvent): void
  /** Changes that may be there after a cut, or not. */
  readonly pending: number
  /** Disks that a cut now may leave. All of them where that is not many, else `limit` of them with the extremes. */
  survivors(random: Random, limit: number): Iterable<Image>
}

type Change =
  | { readonly kind: 'name'; readonly inode: number; readonly change: NameChange }
  | { readonly kind: 'write'; readonly inode: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly inode: number; readonly size: number }

interface Item {
  readonly change: Change
  /** An fsync of it failed: no later one writes it. */
  lost: boolean
}

type Fate = 'kept' | 'gone' | 'torn' | 'zeros'

const isName = ({ kind }: Change): boolean => kind === 'name'

/** With as many pending changes every subset is tried. */
const mostForAll = 6

export const createPlatter = (base: Image): Platter => {
  const directories = new Map(base.directories)
  const files = new Map(base.files)
  const syncing = new Map<number, readonly Item[]>()
  let items: Item[] = []
  let next = base.next

  const pend = (change: Change): void => void items.push({ change, lost: false })

  const pendName = (change: NameChange): void => pend({ kind: 'name', inode: change.directory, change })

  const settle = ({ change }: Item): void => {
    if (change.kind === 'name') {
      directories.set(change.inode, applyName(new Map(directories.get(change.inode)), change.change))
      // What became of the name before does not matter any more.
      const { name } = change.change
      const until = items.findIndex((item) => item.change === change)
      items = items.filter(
        (item, index) =>
          index >= until ||
          item.change.kind !== 'name' ||
          item.change.inode !== change.inode ||
          item.change.change.name !== name,
      )
    } else {
      files.set(change.inode, applyData(files.get(change.inode) ?? new Uint8Array(0), change, 'kept'))
    }
  }

  const apply: Platter['apply'] = (event) => {
    switch (event.kind) {
      case 'make':
        next = Math.max(next, event.inode + 1)
        if (event.directory) directories.set(event.inode, new Map())
        else files.set(event.inode, new Uint8Array(0))
        pendName(event.change)
        return
      case 'names':
        for (const change of event.changes) pendName(change)
        return
      case 'write':
        pend({ kind: 'write', inode: event.file, position: event.position, bytes: event.bytes })
        return
      case 'truncate':
        pend({ kind: 'truncate', inode: event.file, size: event.size })
        return
      case 'sync-begin':
        syncing.set(
          event.id,
          items.filter((item) => item.change.inode === event.inode),
        )
        return
      case 'sync-end': {
        const covered = syncing.get(event.id) ?? []
        syncing.delete(event.id)
        for (const item of covered) {
          if (event.failed) item.lost = true
          // Another fsync may have been faster, or have failed.
          if (item.lost || !items.includes(item)) continue
          settle(item)
          items = items.filter((other) => other !== item)
        }
      }
    }
  }

  const build = (fates: readonly Fate[]): Image => {
    const names = new Map<number, ReadonlyMap<string, number>>(directories)
    const bytes = new Map(files)
    const changed = new Map<number, Map<string, number>>()
    items.forEach(({ change }, index) => {
      const fate = fates[index] ?? 'gone'
      if (fate === 'gone') return
      if (change.kind === 'name') {
        // One copy of a directory, however much of it changes.
        const copy = changed.get(change.inode) ?? new Map(directories.get(change.inode))
        changed.set(change.inode, copy)
        names.set(change.inode, applyName(copy, change.change))
      } else {
        bytes.set(change.inode, applyData(bytes.get(change.inode) ?? new Uint8Array(0), change, fate))
      }
    })
    return { root: base.root, directories: names, files: bytes, next }
  }

  function* survivors(random: Random, limit: number): Iterable<Image> {
    const count = items.length
    const fates = (choose: (index: number, change: Change) => Fate): Fate[] =>
      items.map(({ change }, index) => {
        const fate = choose(index, change)
        return change.kind !== 'write' && (fate === 'torn' || fate === 'zeros') ? 'kept' : fate
      })
    if (count <= mostForAll) {
      for (let subset = 0; subset < 2 ** count; subset++) {
        const kept = fates((index) => ((subset >> index) & 1 ? 'kept' : 'gone'))
        yield build(kept)
        const last = kept.findLastIndex((fate, index) => fate === 'kept' && items[index]?.change.kind === 'write')
        for (const fate of last === -1 ? [] : (['torn', 'zeros'] as const)) yield build(kept.with(last, fate))
      }
      return
    }
    for (const all of ['kept', 'gone', 'torn', 'zeros'] as const) yield build(fates(() => all))
    yield build(fates((_, change) => (isName(change) ? 'kept' : 'gone')))
    yield build(fates((_, change) => (isName(change) ? 'gone' : 'kept')))
    const odd = random.between(0, count - 1)
    yield build(fates((index) => (index === odd ? 'gone' : 'kept')))
    yield build(fates((index) => (index === odd ? 'kept' : 'gone')))
    // As if the disk had come so far.
    yield build(fates((index) => (index <= odd ? 'kept' : 'gone')))
    for (let tried = 9; tried < limit; tried++) {
      const favour = random.next()
      yield build(fates(() => (random.next() < favour ? 'kept' : random.pick(['gone', 'gone', 'torn', 'zeros']))))
    }
  }

  return {
    apply,
    get pending() {
      return items.length
    },
    survivors,
  }
}

const applyName = (names: Map<string, number>, { name, inode }: NameChange): ReadonlyMap<string, number> => {
  if (inode === undefined) names.delete(name)
  else names.set(name, inode)
  return names
}

const applyData = (before: Uint8Array, change: Exclude<Change, { kind: 'name' }>, fate: Fate): Uint8Array => {
  if (change.kind === 'truncate') return truncated(before, change.size)
  const { bytes, position } = change
  switch (fate) {
    case 'kept':
      return written(before, bytes, position)
    case 'torn':
      return written(before, bytes.subarray(0, bytes.byteLength >> 1), position)
    case 'zeros':
      return written(before, new Uint8Array(bytes.byteLength), position)
    case 'gone':
      return before
  }
}
