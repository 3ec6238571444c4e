import { createHash } from 'node:crypto'

/** What a disk holds: inodes by number. Nothing in it is ever changed. */
export interface Image {
  readonly root: number
  readonly directories: ReadonlyMap<number, ReadonlyMap<string, number>>
  readonly files: ReadonlyMap<number, Uint8Array>
  /** Larger than any number in use. */
  readonly next: number
}

export const emptyImage: Image = { root: 1, directories: new Map([[1, new Map()]]), files: new Map(), next: 2 }

/** A change of one name: `inode` is what it names from now on, nothing when it is undefined. */
export interface NameChange {
  readonly directory: number
  readonly name: string
  readonly inode: number | undefined
}

/** What happened to the disk, in order. Whatever is not here did not. */
export type DiskEvent =
  | { readonly kind: 'make'; readonly inode: number; readonly directory: boolean; readonly change: NameChange }
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number }
  /** An fsync covers what came before it began. */
  | { readonly kind: 'sync-begin'; readonly inode: number; readonly id: number }
  /** When it failed, the system calls what it could not write clean, and no later fsync writes it. */
  | { readonly kind: 'sync-end'; readonly id: number; readonly failed: boolean }

const contentKeys = new WeakMap<Uint8Array, string>()

/** The same for disks that look the same to whoever walks them from the root. */
export const keyOf = (image: Image): string => {
  const parts: string[] = []
  const walk = (inode: number): void => {
    const names = image.directories.get(inode)
    if (names === undefined) {
      parts.push('=', contentKey(image.files.get(inode) ?? nothing))
      return
    }
    parts.push('{')
    for (const name of sortedNames(names)) {
      parts.push(name)
      walk(names.get(name) ?? 0)
    }
    parts.push('}')
  }
  walk(image.root)
  return createHash('sha1').update(parts.join('\n')).digest('base64')
}

const nothing = new Uint8Array(0)

const contentKey = (bytes: Uint8Array): string => {
  let key = contentKeys.get(bytes)
  if (key === undefined) {
    key = createHash('sha1').update(bytes).digest('base64')
    contentKeys.set(bytes, key)
  }
  return key
}

const nameLists = new WeakMap<ReadonlyMap<string, number>, readonly string[]>()

const sortedNames = (names: ReadonlyMap<string, number>): readonly string[] => {
  let sorted = nameLists.get(names)
  if (sorted === undefined) {
    sorted = [...names.keys()].toSorted()
    nameLists.set(names, sorted)
  }
  return sorted
}

/** The files below a directory, by their path from it. */
export const filesBelow = (image: Image, ...path: readonly string[]): Map<string, Uint8Array> => {
  let inode: number | undefined = image.root
  for (const name of path) inode = inode === undefined ? undefined : image.directories.get(inode)?.get(name)
  const found = new Map<string, Uint8Array>()
  const walk = (at: number, before: string): void => {
    for (const [name, child] of image.directories.get(at) ?? []) {
      const bytes = image.files.get(child)
      if (bytes === undefined) walk(child, `${before}${name}/`)
      else found.set(`${before}${name}`, bytes)
    }
  }
  if (inode !== undefined) walk(inode, '')
  return found
}
