import { type Digest, imageLayout, safeParseImageLayout } from '@stowage/oci'
import type { Target } from '../../content/ports.ts'
import { ClientError } from '../../errors.ts'
import { defaultHash } from '../../hash.ts'
import { emptyIndex, type LayoutIndex, maxIndexSize, parseLayoutIndex } from '../../layout/layout-index.ts'
import type { LayoutStore } from '../../layout/layout-store.ts'
import { createLayoutTarget } from '../../layout/layout-target.ts'
import { createQueue } from '../../layout/queue.ts'
import { blobPath, createArchiveBlobs } from './archive-blobs.ts'
import type { ArchiveOptions } from './archive-options.ts'
import { type ArchiveOutput, createArchiveOutput } from './archive-output.ts'
import { layoutParts } from './layout-parts.ts'
import { type Archive, openArchive } from './open-archive.ts'
import type { TarFile } from './tar-index.ts'
import type { TarPart } from './write-tar.ts'

/**
 * Opens an image layout in a tar, plain or compressed with gzip, to read and to write; `-` is standard input or output.
 *
 * What is put waits beside the archive and gets into it at `finish()`, which writes a plain tar, with all that the archive had
 * before, and puts it in the place of the old one. Without `finish()` nothing is changed, and nothing is left. What references
 * mean is as in a layout in a directory.
 *
 * Nothing is unpacked, and links, devices and names that lead out of the archive are refused.
 *
 * @throws {ClientError} `not-found`, `invalid-content`, `denied`, `unsupported`, `too-large`, `aborted`
 */
export const openOciArchive = async (path: string, options: ArchiveOptions = {}): Promise<Target> => {
  const { create = false, hash = defaultHash, input = process.stdin, output = process.stdout, signal } = options
  const name = `oci-archive:${path}`
  const out = await createArchiveOutput({ path, output, subject: name, create })
  const base = path === '-' && create ? undefined : await openArchive({ path, input, links: false, signal })
  if (base === undefined && !create)
    throw new ClientError('not-found', `There is no archive ${path}.`, { subject: name })
  try {
    return createLayoutTarget(await createStore(name, base, out), { hash })
  } catch (error) {
    await base?.[Symbol.asyncDispose]()
    throw error
  }
}

const createStore = async (name: string, base: Archive | undefined, output: ArchiveOutput): Promise<LayoutStore> => {
  let index = base === undefined ? emptyIndex : await readIndex(name, base)
  let isChanged = base === undefined
  const queue = createQueue()
  const find = (digest: Digest): TarFile | undefined => base?.find(blobPath(digest))
  const blobs = createArchiveBlobs({ subject: name, output, base, find })

  /** What the archive has besides: other programs may have their own files in it. */
  const kept = (archive: Archive): TarPart[] => {
    const replaced = new Set<string>([
      imageLayout.layoutFile,
      imageLayout.indexFile,
      ...[...blobs.written, ...blobs.removed].map(blobPath),
    ])
    return [...archive.entries].flatMap(([path, entry]) =>
      entry.kind === 'file' && !replaced.has(path)
        ? [{ name: path, size: entry.size, read: (buffer: Uint8Array) => archive.read(entry, buffer) }]
        : [],
    )
  }

  return {
    name,
    readIndex: async () => index,
    changeIndex: (change) =>
      queue(async () => {
        index = await change(index)
        isChanged = true
      }),
    blobSize: blobs.size,
    readBlob: (digest) => blobs.read(digest),
    async writeBlob(digest, chunks) {
      await blobs.write(digest, chunks)
      isChanged = true
    },
    async removeBlob(digest) {
      await blobs.remove(digest)
      isChanged = true
    },
    finish: ({ signal } = {}) =>
      queue(async () => {
        if (!isChanged) return
        const rest = base === undefined ? [] : kept(base)
        for (const digest of blobs.written) rest.push(await blobs.part(digest))
        await output.write(layoutParts(index, rest), signal)
        isChanged = false
      }),
    async [Symbol.asyncDispose]() {
      await output[Symbol.asyncDispose]()
      await base?.[Symbol.asyncDispose]()
    },
  }
}

const readIndex = async (name: string, archive: Archive): Promise<LayoutIndex> => {
  const version = await archive.readSmall(imageLayout.layoutFile, 64 * 1024)
  const bytes = await archive.readSmall(imageLayout.indexFile, maxIndexSize)
  if (version === undefined || bytes === undefined) {
    const missing = version === undefined ? imageLayout.layoutFile : imageLayout.indexFile
    const isDocker = archive.find('manifest.json') !== undefined
    throw new ClientError('invalid-content', `${name} is no image layout: it has no file ${missing}.`, {
      subject: name,
      ...(isDocker ? { hint: 'It looks like what docker save writes: call it docker-archive:…' } : {}),
    })
  }
  const parsed = safeParseImageLayout(version)
  if (!parsed.ok) {
    const [problem] = parsed.problems
    throw new ClientError('invalid-content', `${imageLayout.layoutFile} in ${name} is wrong: ${problem?.message}.`, {
      subject: name,
    })
  }
  return parseLayoutIndex(bytes, name)
}
