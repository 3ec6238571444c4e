import { RegistryError } from '../errors.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { OpenUpload, OpenUploads, RepositoryGrant } from './open-uploads.ts'
import { roomFor } from './quotas.ts'
import { receive } from './receive.ts'
import type { UnfinishedBytes } from './unfinished-bytes.ts'
import type { Hold } from './upload-lock.ts'
import type { Body } from './uploads.ts'

export interface TakeChunkOptions {
  readonly metadata: MetadataStore
  readonly open: OpenUploads
  readonly unfinished: UnfinishedBytes
  readonly maxBlobSize: number
}

/** Takes a chunk in, or throws and leaves the upload where the bytes that were kept end. */
export const createTakeChunk =
  ({ metadata, open, unfinished, maxBlobSize }: TakeChunkOptions) =>
  async (grant: RepositoryGrant, upload: OpenUpload, hold: Hold, body: Body): Promise<void> => {
    const from = upload.bytes.size
    const expected = announced(upload, body)
    if (from + (expected ?? 0) > maxBlobSize) throw tooLarge(maxBlobSize)
    const room = await roomFor(metadata, unfinished, grant, upload.id)
    room?.assert(from + (expected ?? 0))
    const digester = upload.digester
    upload.digester = undefined
    let settled = false
    try {
      const { bytes } = await receive(body.chunks, upload.bytes, {
        digester,
        onBytes: (total) => {
          room?.take(from + total)
          hold.alive()
          open.alive(upload)
        },
        signal: AbortSignal.any([body.signal, hold.signal]),
        owned: body.owned,
        limit: Math.min(expected ?? Infinity, maxBlobSize - from),
      })
      if (expected !== undefined && bytes !== expected) {
        throw new RegistryError(
          'size-invalid',
          `The body has ${bytes > expected ? `more than ${expected}` : bytes} bytes where ${expected} were announced. ` +
            'Nothing of this chunk was kept.',
        )
      }
      if (from + bytes > maxBlobSize) throw tooLarge(maxBlobSize)
      settled = true
    } catch (error) {
      // A chunk that contradicts itself is taken back; one whose connection broke keeps what came.
      if (error instanceof RegistryError) await upload.bytes.truncate(from)
      throw error
    } finally {
      if (settled) upload.digester = digester
      unfinished.change(upload.id, upload.bytes.size)
    }
  }

/** Bytes that the request says it has; undefined when it does not say. */
const announced = (upload: OpenUpload, { range, length: whole }: Body): number | undefined => {
  if (range === undefined) return whole
  // "If a chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code."
  if (range.first !== upload.bytes.size) throw outOfOrder(upload, range.first)
  const length = range.last - range.first + 1
  if (whole !== undefined && whole !== length) {
    throw new RegistryError(
      'size-invalid',
      `Content-Range describes ${length} bytes but Content-Length says ${whole}. Make them agree.`,
    )
  }
  return length
}

export const tooLarge = (limit: number): RegistryError =>
  new RegistryError('blob-too-large', `A blob may have at most ${limit} bytes in this registry.`)

const outOfOrder = (upload: OpenUpload, first: number): RegistryError =>
  new RegistryError(
    'upload-out-of-order',
    `The chunk begins at byte ${first} but the upload has ${upload.bytes.size} bytes. Go on from there.`,
    { hints: { upload: { id: upload.id, size: upload.bytes.size } } },
  )
