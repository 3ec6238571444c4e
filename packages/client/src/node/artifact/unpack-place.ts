import { link, open, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Header } from 'tar-stream'
import { ClientError, isNotFound } from '../../errors.ts'
import { onFile, systemErrorCode } from '../file-errors.ts'
import { leadsOut } from './link-target.ts'
import { ensureDirectory, lookAt } from './target-directory.ts'
import { safeParts } from './title-path.ts'

/** A directory that a tar is unpacked into. It is made with the first entry. */
export interface UnpackPlace {
  /** @throws {ClientError} `refused`, `invalid-content` */
  put(header: Header, content: AsyncIterable<Uint8Array>): Promise<void>
  /** Symbolic links, when everything else is there: so nothing was written through one. */
  makeLinks(): Promise<void>
}

/** What anybody may have who has the file. Set-id bits and the like are not for files of others. */
const permissions = 0o777

/** What systems take. */
const longestLink = 4096
/** Characters of all links together: they are in memory until the end. */
const mostOfLinks = 64 * 1024 * 1024

export interface UnpackPlaceOptions {
  /** What the names of entries begin with; some programs write only the last part of it. */
  readonly title: string
  /** Told of each directory that is made without an entry of its own: one long name may want thousands. @throws when enough is enough */
  onParent(): void
}

export const createUnpackPlace = (root: string, { title, onParent }: UnpackPlaceOptions): UnpackPlace => {
  const prefix = safeParts(title) ?? []
  const links = new Map<string, string>()
  let ofLinks = 0

  const refuse = (name: string, why: string): ClientError =>
    new ClientError('refused', `${title} is not unpacked: ${JSON.stringify(name.slice(0, 200))} in it ${why}.`, {
      subject: title,
    })

  const partsOf = (name: string): readonly string[] => {
    const parts = safeParts(name)
    if (parts === undefined) throw refuse(name, 'leads out of the directory')
    const starts = [prefix, prefix.slice(-1)].find((start) => start.every((part, at) => parts[at] === part))
    if (starts === undefined) throw refuse(name, 'is not below its title')
    return parts.slice(starts.length)
  }

  /** From the inside out: mostly the innermost is there, and names may be thousands of directories deep. */
  const makeDirectory = async (parts: readonly string[]): Promise<void> => {
    const path = join(root, ...parts)
    try {
      if ((await ensureDirectory(path)) && parts.length > 0) onParent()
    } catch (error) {
      if (!isNotFound(error) || parts.length === 0) throw error
      await makeDirectory(parts.slice(0, -1))
      if (await ensureDirectory(path)) onParent()
    }
  }

  const makeParents = async (parts: readonly string[]): Promise<string> => {
    if (parts.length > 0) await makeDirectory(parts.slice(0, -1))
    return join(root, ...parts)
  }

  const twice = (name: string): ClientError =>
    new ClientError('invalid-content', `${title} has ${JSON.stringify(name.slice(0, 200))} twice.`, { subject: title })

  /** Nothing is written over: two entries of one name are read in two ways by two programs. */
  const once = async (name: string, path: string, make: () => Promise<unknown>): Promise<void> => {
    try {
      await make()
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw twice(name)
      await onFile(path, () => Promise.reject(error))
    }
  }

  const addLink = (name: string, parts: readonly string[], target: string): void => {
    if (target.length > longestLink || leadsOut(target, parts.length - 1))
      throw refuse(name, `is a link that leads out, to ${JSON.stringify(target.slice(0, 200))}`)
    const key = parts.join('/')
    if (links.has(key)) throw twice(name)
    ofLinks += key.length + target.length
    if (ofLinks > mostOfLinks) throw refuse(name, 'is one link too many')
    links.set(key, target)
  }

  return {
    async put({ name, type, mode, linkname }, content) {
      const parts = partsOf(name)
      if (type === 'directory') {
        // Its owner must be able to fill it.
        await ensureDirectory(await makeParents(parts), (mode & permissions) | 0o700)
        return
      }
      if (parts.length === 0) throw refuse(name, 'is a file where the directory itself belongs')
      if (type === 'symlink') {
        addLink(name, parts, linkname ?? '')
        return
      }
      const path = await makeParents(parts)
      if (type === 'link') {
        const target = join(root, ...partsOf(linkname ?? ''))
        if ((await lookAt(target))?.isFile() !== true) throw refuse(name, 'is a hard link to what is no file in it')
        await once(name, path, () => link(target, path))
      } else if (type === 'file' || type === 'contiguous-file') {
        await once(name, path, async () => {
          await using handle = await open(path, 'wx', (mode & permissions) | 0o600)
          await handle.writeFile(content)
        })
      } else throw refuse(name, `is a ${type ?? 'thing that nobody knows'}, which is not made`)
    },

    async makeLinks() {
      await ensureDirectory(root)
      for (const [key, target] of links) {
        const path = await makeParents(key.split('/'))
        await once(key, path, () => symlink(target, path))
      }
    },
  }
}
