import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { type CallOptions, defaultHash } from '@stowage/client'
import { createDigester, type Digest, digestAlgorithm, digestEncoded } from '@stowage/oci'
import { StowageError } from '../failure.ts'
import type { FoundBlob } from './find-blob.ts'
import { resultPlace } from './result-file.ts'

export interface DownloadOptions {
  readonly call: CallOptions
  readonly onProgress: (bytes: number) => void
}

/**
 * Reads a blob into a file. It grows beside it, under a name with its digest, so that a later run finds the beginning of this
 * blob, and only the rest is asked for. The file itself appears when all of it was read again, and seen to be right.
 *
 * Two that run at once write the same bytes to the same places: the one that ends first has the file, the other one an error.
 *
 * @returns the bytes that were there from an earlier run
 * @throws {ClientError | StowageError} `digest-mismatch`; nothing is kept then
 */
export const downloadBlob = async (
  found: FoundBlob,
  file: string,
  { call, onProgress }: DownloadOptions,
): Promise<{ readonly resumed: number }> => {
  const { descriptor, source } = found
  const { digest } = descriptor
  const place = await resultPlace(file)
  if (!place.isFile) {
    await using device = await open(file, constants.O_WRONLY)
    for await (const chunk of source.getBlob(descriptor, call)) await device.writeFile(chunk)
    return { resumed: 0 }
  }
  const part = `${place.path}.${digestEncoded(digest).slice(0, 12)}.part`
  const resumed = await download(found, part, { call, onProgress })
  const actual = await digestOfFile(part, digest, call).catch(takenAway(file))
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
  await rename(part, place.path).catch(takenAway(file))
  return { resumed }
}

/** What a run finds that was overtaken: its bytes have become the file of another one. */
const takenAway = (file: string) => (error: unknown) => {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  throw new StowageError('failed', `Another run has written ${file} meanwhile.`, { cause: error })
}

// No symbolic link: in a directory that others may write to it could lead to any file. Windows has no such flag.
const flags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)

/** Writes what is missing of a blob. @returns the bytes that were there */
const download = async (
  { descriptor, source, repository }: FoundBlob,
  part: string,
  { call, onProgress }: DownloadOptions,
): Promise<number> => {
  const { size } = descriptor
  await using handle = await open(part, flags)
  const { size: before } = await handle.stat()
  if (before > size) await handle.truncate(0)
  // Only registries give the rest of a blob; on this machine all of it is read at once.
  const resumed = repository === undefined || before > size ? 0 : before
  if (resumed === size && size > 0) return resumed
  // Unverified: what verifies keeps back the last bytes it has, and those would be lost where it breaks off.
  const rest =
    repository === undefined ? source.getBlob(descriptor, call) : repository.getBlobFrom(descriptor, resumed, call)
  let at = resumed
  for await (const chunk of rest) {
    if (at + chunk.byteLength > size) break
    await writeAt(handle, chunk, at)
    at += chunk.byteLength
    onProgress(at)
  }
  await handle.sync().catch(() => {})
  return resumed
}

const writeAt = async (handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> => {
  for (let done = 0; done < chunk.byteLength;) {
    done += (await handle.write(chunk, done, chunk.byteLength - done, position + done)).bytesWritten
  }
}

const digestOfFile = async (path: string, like: Digest, { signal }: CallOptions): Promise<Digest> => {
  const digester = createDigester(defaultHash, digestAlgorithm(like))
  for await (const chunk of createReadStream(path, signal === undefined ? {} : { signal }))
    digester.update(chunk as Buffer)
  return digester.digest()
}
