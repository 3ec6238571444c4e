import { link, open, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Header } from 'tar-stream'
import { ClientError } from '../../errors.ts'
import { onFile, systemErrorCode } from '../file-errors.ts'
import { leadsOut } from './link-target.ts'
import { ensureDirectory } from './target-directory.ts'
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

/** @param title What the names of entries begin with; some programs write only the last part of it. */
export const createUnpackPlace = (root: string, title: string): UnpackPlace => {
  const prefix = safeParts(title) ?? []
  const links = new Map<string, string>()
  const files = new Set<string>()

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

  const makeParents = async (parts: readonly string[]): Promise<string> => {
    for (let at = 0; at < parts.length; at++) await ensureDirectory(join(root, ...parts.slice(0, at)))
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

  return {
    async put({ name, type, mode, linkname }, content) {
      const parts = partsOf(name)
      if (type === 'directory') {
        // Its owner must be able to fill it.
        await ensureDirectory(await makeParents(parts), (mode & permissions) | 0o700)
        return
      }
      if (parts.length === 0) throw refuse(name, 'is a file where the directory itself belongs')
      const key = parts.join('/')
      if (type === 'symlink') {
        if (leadsOut(linkname ?? '', parts.length - 1))
          throw refuse(name, `is a link that leads out, to ${JSON.stringify(linkname)}`)
        if (links.has(key)) throw twice(name)
        links.set(key, linkname ?? '')
        return
      }
      const path = await makeParents(parts)
      if (type === 'link') {
        const target = partsOf(linkname ?? '')
        if (!files.has(target.join('/'))) throw refuse(name, 'is a hard link to what is no file in it')
        await once(name, path, () => link(join(root, ...target), path))
      } else if (type === 'file' || type === 'contiguous-file') {
        await once(name, path, async () => {
          await using handle = await open(path, 'wx', (mode & permissions) | 0o600)
          await handle.writeFile(content)
        })
      } else throw refuse(name, `is a ${type ?? 'thing that nobody knows'}, which is not made`)
      files.add(key)
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
