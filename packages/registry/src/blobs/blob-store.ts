import type { Readable, Writable } from 'node:stream'
import type { Digest } from '@stowage/oci'

/**
 * Where the bytes of blobs are. A store knows nothing of repositories: which key belongs to which digest, and who may see
 * it, is the metadata store's.
 *
 * Each stored blob has a key of its own that is never used twice, so a delete that comes late can never destroy bytes that
 * were acknowledged after it was sent.
 */
export interface BlobStore extends AsyncDisposable {
  /** What sort of store this is, for logs and `status`: `file-system`, `memory`, `s3`. */
  readonly kind: string

  /**
   * Opens the bytes of an upload, new or begun earlier (by another process, before a restart). An upload that never got a
   * byte holds no resource in the store. The caller serialises use of one upload.
   *
   * @param id UUID of the upload, validated by the caller.
   * @param state What `BlobUpload.state()` gave before, when the metadata store has it.
   */
  openUpload(id: string, state?: string): Promise<BlobUpload>

  /** Forgets an upload's bytes. Succeeds when there are none. */
  discardUpload(id: string, state?: string): Promise<void>

  /** Ids of uploads that hold bytes here, to find those that no row points to. */
  listUploads(): AsyncIterable<{ readonly id: string; readonly touchedAt: number }>

  /**
   * The bytes from `start` up to but not including `end` (0 ≤ start ≤ end ≤ size): a `Uint8Array` when they are few, else a
   * Node stream. The stream fails, and never ends cleanly, when the store has fewer bytes than that. `undefined` when the
   * store has no such key. The bytes may be shared by several readers: they are never to be changed.
   *
   * Rejects with an error of the code `BLOB_SHORT` when it is known at once that there are fewer bytes; with another when the
   * place where the bytes would be cannot be reached, which says nothing of them.
   */
  read(key: string, start: number, end: number): Promise<Uint8Array | BlobStream | undefined>

  /**
   * What is stored under the key, for whoever checks it: past every cache, which it leaves as it is. `undefined` when the store
   * has no such key; rejects when the place where it would be cannot be reached.
   */
  inspect(key: string): Promise<InspectedBytes | undefined>

  /** Every blob that is stored, in no order, to find those that no row points to. What comes and goes meanwhile may be missed. */
  listBlobs(): AsyncIterable<StoredBytes>

  /** Succeeds when there is no such key. */
  delete(key: string): Promise<void>

  /** Resolves when the store can read and write; rejects with the reason otherwise. */
  check(): Promise<void>
}

export interface StoredBytes {
  readonly key: string
  readonly size: number
  /** When they were committed, milliseconds since the epoch. */
  readonly storedAt: number
}

export interface InspectedBytes {
  readonly size: number
  /** When they were committed, milliseconds since the epoch. */
  readonly storedAt: number
  /** All of them, however many there are, in pieces of at most a MiB. A piece is good until the next one is asked for. */
  read(): AsyncIterable<Uint8Array>
}

/** The bytes of a blob as a stream. A store that can bring them to a Node response with less work has `sendTo`. */
export interface BlobStream extends Readable {
  /**
   * Instead of reading the stream: writes everything to `to` and ends it, or destroys it when bytes are missing, so that no
   * reply looks complete that is not. Releases what the stream holds, also when `to` closes early.
   */
  sendTo?(to: Writable): void
}

export interface BlobUpload {
  /** How many bytes the store really holds. */
  readonly size: number

  /** Appends the chunks in order. When it rejects, `size` says what was kept. The chunks may be reused when it settles. */
  write(chunks: readonly Uint8Array[]): Promise<void>

  /** Drops what lies behind `size`. */
  truncate(size: number): Promise<void>

  /** The bytes written so far, from the first on: to compute a digest again. */
  read(): AsyncIterable<Uint8Array>

  /**
   * Makes the bytes durable under a new key of their own; they survive power loss when it resolves. The digest has been
   * verified by the caller. Afterwards the upload is over. When it rejects the bytes are not trusted: discard the upload.
   */
  commit(digest: Digest): Promise<string>

  /** What must be remembered so that another process can go on; undefined when the store itself knows. */
  state(): string | undefined

  /** Releases handles. The bytes stay. */
  close(): Promise<void>
}
