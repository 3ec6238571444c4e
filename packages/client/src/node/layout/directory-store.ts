import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { imageLayout } from '@stowage/oci'
import { ClientError } from '../../errors.ts'
import {
  emptyIndex,
  formatLayoutIndex,
  type LayoutIndex,
  maxIndexSize,
  parseLayoutIndex,
} from '../../layout/layout-index.ts'
import type { LayoutStore } from '../../layout/layout-store.ts'
import { isMissing, onFile } from '../file-errors.ts'
import { readSmallFile } from '../read-file.ts'
import { type BlobDirectory, createBlobDirectory } from './blob-directory.ts'
import { inTurn } from './path-queues.ts'
import { syncDirectory, writeWhole } from './write-file.ts'

interface Opened {
  /** The directory, without symbolic links on its way. */
  readonly root: string
  readonly blobs: BlobDirectory
}

export interface DirectoryStoreOptions {
  readonly name: string
  readonly path: string
  /** Whether what is missing is made, when the first thing is written. */
  readonly create: boolean
}

/** An image layout in a directory. */
export const createDirectoryStore = ({ name, path, create }: DirectoryStoreOptions): LayoutStore => {
  let opened: Opened | undefined
  let making: Promise<Opened> | undefined
  let last: { readonly bytes: Uint8Array; readonly index: LayoutIndex } | undefined

  const find = async (): Promise<Opened | undefined> => {
    if (opened !== undefined) return opened
    const root = await onFile(path, async () => {
      try {
        return await realpath(path)
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    })
    if (root === undefined) return undefined
    opened ??= { root, blobs: createBlobDirectory({ root, subject: name, durable: true }) }
    return opened
  }

  const makeAll = async (): Promise<Opened> => {
    if (create) await onFile(path, () => mkdir(path, { recursive: true }))
    const layout = await find()
    if (layout === undefined) throw new ClientError('not-found', `${path} is gone.`, { subject: name })
    const { root } = layout
    if (create) {
      await inTurn(root, async () => {
        await writeMissing(root, imageLayout.indexFile, formatLayoutIndex(emptyIndex))
        const version = { imageLayoutVersion: imageLayout.version }
        await writeMissing(root, imageLayout.layoutFile, new TextEncoder().encode(JSON.stringify(version)))
      })
    }
    return layout
  }

  const writeMissing = async (root: string, file: string, bytes: Uint8Array): Promise<void> => {
    if ((await readSmallFile(join(root, file), maxIndexSize, name)) !== undefined) return
    await writeWhole(join(root, file), [bytes], { directory: root, durable: true })
  }

  const make = (): Promise<Opened> => {
    making ??= makeAll()
    making.catch(() => {
      making = undefined
    })
    return making
  }

  const load = async (): Promise<LayoutIndex> => {
    const layout = await find()
    const file = join(layout?.root ?? path, imageLayout.indexFile)
    const bytes = layout === undefined ? undefined : await readSmallFile(file, maxIndexSize, name)
    if (bytes === undefined) {
      if (create) return emptyIndex
      throw new ClientError('invalid-content', `${path} has no ${imageLayout.indexFile}.`, { subject: name })
    }
    // Read each time, because other programs write it too; parsed only when it changed.
    if (last === undefined || Buffer.compare(last.bytes, bytes) !== 0) {
      last = { bytes, index: parseLayoutIndex(bytes, name) }
    }
    return last.index
  }

  return {
    name,
    readIndex: load,

    async changeIndex(change) {
      const { root, blobs } = await make()
      await inTurn(root, async () => {
        const index = await change(await load())
        const bytes = formatLayoutIndex(index)
        if (last !== undefined && Buffer.compare(last.bytes, bytes) === 0) return
        // What the index is about to name must be there after a power cut.
        await blobs.sync()
        await writeWhole(join(root, imageLayout.indexFile), [bytes], { directory: root, durable: true })
        await syncDirectory(root)
        last = { bytes, index }
      })
    },

    blobSize: async (digest) => (await find())?.blobs.size(digest),

    async *readBlob(digest) {
      const layout = await find()
      if (layout === undefined) throw new ClientError('not-found', `${name} has no blob ${digest}.`, { subject: name })
      yield* layout.blobs.read(digest)
    },

    async writeBlob(digest, chunks) {
      const { blobs } = await make()
      await blobs.write(digest, chunks)
    },

    removeBlob: async (digest) => (await find())?.blobs.remove(digest),

    async finish() {
      const { root, blobs } = await make()
      await blobs.sync()
      await syncDirectory(root)
    },

    [Symbol.asyncDispose]: async () => {},
  }
}
