import { constants, createReadStream } from 'node:fs'
import { lstat, open, rename, rm } from 'node:fs/promises'
import { type CallOptions, defaultHash } from '@stowage/client'
import { createDigester, type Digester, digestAlgorithm, digestEncoded } from '@stowage/oci'
import { StowageError } from '../failure.ts'
import type { FoundBlob } from './find-blob.ts'
import { resultPlace } from './result-file.ts'

export interface DownloadOptions {
  readonly call: CallOptions
  readonly onProgress: (bytes: number) => void
}

/**
 * Reads a blob into a file. It grows beside it, under a name with its digest, so that a later run knows that what it finds is
 * the beginning of this blob; what is there is hashed again, and only the rest is asked for. The file itself appears when all
 * of it was seen to be right.
 *
 * @returns the bytes that were there from an earlier run
 * @throws {ClientError | StowageError} `digest-mismatch`; nothing is kept then
 */
export const downloadBlob = async (
  found: FoundBlob,
  file: string,
  { call, onProgress }: DownloadOptions,
): Promise<{ readonly resumed: number }> => {
  const { descriptor, source, repository } = found
  const { digest, size } = descriptor
  const place = await resultPlace(file)
  if (!place.isFile) {
    await writeChunks(file, constants.O_WRONLY, source.getBlob(descriptor, call))
    return { resumed: 0 }
  }
  const part = `${place.path}.${digestEncoded(digest).slice(0, 12)}.part`
  // Only registries give the rest of a blob; on this machine all of it is read at once.
  const before = repository === undefined ? 0 : await sizeOf(part)
  const digester = createDigester(defaultHash, digestAlgorithm(digest))
  const resumed = before > size ? 0 : before
  if (resumed > 0) await hashFile(part, digester, call)
  // Unverified: what verifies keeps back the last bytes it has, and those would be lost where it breaks off.
  const rest =
    repository === undefined ? source.getBlob(descriptor, call) : repository.getBlobFrom(descriptor, resumed, call)
  const counted = async function* (): AsyncIterable<Uint8Array> {
    let bytes = resumed
    for await (const chunk of rest) {
      bytes += chunk.byteLength
      if (bytes > size) break
      digester.update(chunk)
      yield chunk
      onProgress(bytes)
    }
  }
  if (resumed < size || size === 0) await writeChunks(part, resumed === 0 ? anew : onward, counted())
  const actual = digester.digest()
  if (actual !== digest) {
    await rm(part, { force: true })
    throw new StowageError(
      'digest-mismatch',
      `${source.name}@${digest} is not what its digest says: its bytes have ${actual}.`,
      {
        hint:
          resumed > 0
            ? 'What an earlier run had left was not the beginning of it. It is thrown away: run the command again.'
            : 'What is stored there is damaged, or was altered on the way.',
      },
    )
  }
  await rename(part, place.path)
  return { resumed }
}

// No symbolic link: in a directory that others may write to it could lead to any file. Windows has no such flag.
const plain = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
const anew = plain | constants.O_TRUNC
const onward = plain | constants.O_APPEND

const sizeOf = async (path: string): Promise<number> => {
  try {
    const stats = await lstat(path)
    return stats.isFile() ? stats.size : 0
  } catch {
    return 0
  }
}

const hashFile = async (path: string, digester: Digester, { signal }: CallOptions): Promise<void> => {
  for await (const chunk of createReadStream(path, signal === undefined ? {} : { signal }))
    digester.update(chunk as Buffer)
}

const writeChunks = async (path: string, flags: number, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
  const handle = await open(path, flags)
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk)
    await handle.sync().catch(() => {})
  } finally {
    await handle.close()
  }
}
