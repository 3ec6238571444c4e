import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlobStore, BlobUpload } from '../blob-store.ts'

interface StoredUpload {
  readonly chunks: Uint8Array[]
  size: number
  touchedAt: number
}

/** Ranges up to this many bytes are given at once, longer ones as a stream: as the file system's store does. */
const shortRange = 256 * 1024

/** A store that keeps everything in memory, for tests and for trying things out. */
export const memoryBlobs = (): BlobStore => {
  const uploads = new Map<string, StoredUpload>()
  const blobs = new Map<string, Uint8Array>()
  const storedAt = new Map<string, number>()

  const openUpload: BlobStore['openUpload'] = async (id) => {
    let over = false
    const requireOpen = (): void => {
      if (over) throw new Error(`Upload ${id} is over: it was committed.`)
    }

    return {
      get size() {
        return uploads.get(id)?.size ?? 0
      },
      write: async (chunks) => {
        requireOpen()
        for (const chunk of chunks) {
          if (chunk.byteLength === 0) continue
          const stored = uploads.get(id) ?? { chunks: [], size: 0, touchedAt: 0 }
          stored.chunks.push(new Uint8Array(chunk))
          stored.size += chunk.byteLength
          stored.touchedAt = Date.now()
          uploads.set(id, stored)
        }
      },
      truncate: async (to) => {
        requireOpen()
        if (!Number.isSafeInteger(to) || to < 0) throw new RangeError(`An upload cannot be truncated to ${to} bytes.`)
        const stored = uploads.get(id)
        if (stored === undefined || to >= stored.size) return
        uploads.set(id, { chunks: [join(stored.chunks).slice(0, to)], size: to, touchedAt: Date.now() })
      },
      read: async function* () {
        for (const chunk of uploads.get(id)?.chunks ?? []) yield new Uint8Array(chunk)
      },
      commit: async (digest) => {
        requireOpen()
        over = true
        const key = `${digest}.${randomUUID()}`
        blobs.set(key, join(uploads.get(id)?.chunks ?? []))
        storedAt.set(key, Date.now())
        uploads.delete(id)
        return key
      },
      state: () => undefined,
      close: async () => {},
    } satisfies BlobUpload
  }

  const read: BlobStore['read'] = async (key, start, end) => {
    const blob = blobs.get(key)
    if (blob === undefined) return undefined
    if (start < 0 || end < start || end > blob.byteLength)
      throw new RangeError(`${start} to ${end} is not a range of bytes.`)
    // Copies, as other stores give: a reader may do with them what it likes.
    if (end - start <= shortRange) return blob.slice(start, end)
    return Readable.from(pieces(blob, start, end), { objectMode: false })
  }

  return {
    kind: 'memory',
    openUpload,
    discardUpload: async (id) => void uploads.delete(id),
    listUploads: async function* () {
      for (const [id, { touchedAt }] of uploads) yield { id, touchedAt }
    },
    read,
    inspect: async (key) => {
      const blob = blobs.get(key)
      if (blob === undefined) return undefined
      const everything = async function* (): AsyncIterable<Uint8Array> {
        yield* pieces(blob, 0, blob.byteLength)
      }
      return { size: blob.byteLength, storedAt: storedAt.get(key) ?? 0, read: everything }
    },
    listBlobs: async function* () {
      for (const [key, { byteLength }] of blobs) yield { key, size: byteLength, storedAt: storedAt.get(key) ?? 0 }
    },
    delete: async (key) => {
      blobs.delete(key)
      storedAt.delete(key)
    },
    check: async () => {},
    [Symbol.asyncDispose]: async () => {
      uploads.clear()
      blobs.clear()
    },
  } satisfies BlobStore
}

function* pieces(blob: Uint8Array, start: number, end: number): Iterable<Uint8Array> {
  for (let at = start; at < end; at += shortRange) yield blob.slice(at, Math.min(at + shortRange, end))
}

const join = (chunks: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.byteLength
  }
  return joined
}
