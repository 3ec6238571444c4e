import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type HashFactory, imageLayout, safeParseImageLayout } from '@stowage/oci'
import type { CallOptions, Target } from '../../content/ports.ts'
import { ClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { throwIfAborted } from '../../content/interrupt.ts'
import { createLayoutTarget } from '../../layout/layout-target.ts'
import { isMissing, onFile } from '../file-errors.ts'
import { readSmallFile } from '../read-file.ts'
import { createDirectoryStore } from './directory-store.ts'
import { temporaryPrefix } from './write-file.ts'

/** How an image layout is opened. */
export interface LayoutOptions extends CallOptions {
  /** Make the layout if there is none: of a directory that is missing or empty, when the first thing is written. */
  readonly create?: boolean
  /** Where hashes come from; `node:crypto` unless said. */
  readonly hash?: HashFactory
}

/**
 * Opens an image layout in a directory (image-spec, "OCI Image Layout"), to read and to write.
 *
 * Writes are crash-safe: a blob is written beside the others, verified, synced and renamed, and `index.json` is replaced in one
 * step. In one process any number of targets may write to one directory; several processes must take turns, as with every
 * program that writes layouts.
 *
 * What a reference means, and what `index.json` lists, is said at `resolveName`, `findNamed` and `createLayoutTarget`. A tag
 * that moves takes its old manifest off the list, as with skopeo and podman; a tag that is deleted leaves it there without a
 * name. Deleting a manifest removes its own bytes and nothing that it refers to.
 *
 * @throws {ClientError} `not-found`, `invalid-content`, `denied`
 */
export const openLayout = async (path: string, options: LayoutOptions = {}): Promise<Target> => {
  const { create = false, hash = defaultHash, signal } = options
  throwIfAborted(signal)
  const name = `ocidir:${path}`
  if (!(await isLayout(path, name))) {
    const entries = await directoryEntries(path)
    if (!create) throw noLayout(path, name, entries !== undefined)
    if (entries !== undefined && entries.some((entry) => !isOfCrash(entry))) {
      throw new ClientError('invalid-content', `${path} is not empty, and is no image layout.`, {
        subject: name,
        hint: 'Name an empty directory, or one that is not there yet.',
      })
    }
  }
  return createLayoutTarget(createDirectoryStore({ name, path, create }), { hash })
}

/** What a program that was stopped while it made the layout may have left. */
const isOfCrash = (entry: string): boolean => entry === imageLayout.indexFile || entry.startsWith(temporaryPrefix)

const directoryEntries = (path: string): Promise<readonly string[] | undefined> =>
  onFile(path, async () => {
    try {
      return await readdir(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  })

const noLayout = (path: string, name: string, isThere: boolean): ClientError =>
  isThere
    ? new ClientError('invalid-content', `${path} is no image layout: it has no file ${imageLayout.layoutFile}.`, {
        subject: name,
      })
    : new ClientError('not-found', `There is no image layout ${path}.`, { subject: name })

/** Whether the directory says that it is a layout. @throws {ClientError} `invalid-content` when it says so wrongly */
const isLayout = async (path: string, name: string): Promise<boolean> => {
  const isFile = await onFile(path, async () => {
    try {
      return !(await stat(path)).isDirectory()
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  })
  if (isFile) {
    throw new ClientError('invalid-content', `${path} is a file, and an image layout is a directory.`, {
      subject: name,
      hint: `For a layout in a tar write oci-archive:${path}.`,
    })
  }
  const bytes = await readSmallFile(join(path, imageLayout.layoutFile), 64 * 1024, name)
  if (bytes === undefined) return false
  const parsed = safeParseImageLayout(bytes)
  if (parsed.ok) return true
  const [problem] = parsed.problems
  throw new ClientError(
    'invalid-content',
    `${imageLayout.layoutFile} in ${path} is wrong: ${problem?.path ?? ''} ${problem?.message ?? ''}.`,
    { subject: name },
  )
}
