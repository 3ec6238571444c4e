import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '@stowage/oci'
import type { BlobStore } from '../blobs/blob-store.ts'
import { fileSystemBlobs } from '../blobs/file-system/file-system-blobs.ts'
import { createBlobs } from '../content/blobs.ts'
import { digestOf } from '../content/digester.ts'
import { createUploads, type RepositoryGrant } from '../content/uploads.ts'
import { silentLogger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { createClock } from '../upkeep/clock.ts'
import { createGarbageCollection, type GarbageOptions, type ScheduledRun } from '../upkeep/garbage.ts'
import type { GarbageReport } from '../upkeep/upkeep.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** What a run that finds nothing says. */
export const nothing = { links: 0, blobs: 0, bytes: 0, orphans: 0, orphanBytes: 0, incomplete: false, sample: [] }

export const grantOn = (repository: string): RepositoryGrant => ({
  actor: 'ann',
  action: 'push',
  repository,
  overwriteTags: true,
})

/** A real database and real files, and a clock of the test's own beside a time that only goes on. */
export interface GarbageStore extends AsyncDisposable {
  readonly directory: string
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** Somebody sets it, or time passes. Begins with the machine's, which the files have. */
  now: number
  /** Time passes, and the clock goes with it. */
  pass(milliseconds: number): void
  /** What a process does that begins now. */
  collection(more?: Partial<GarbageOptions>): (run: ScheduledRun) => Promise<GarbageReport>
  push(repository: string, text: string, metadata?: MetadataStore): Promise<Digest>
  mount(repository: string, digest: Digest): Promise<unknown>
  /** Stores bytes that no row points to. Gives their key. */
  orphan(text: string): Promise<string>
  /** Of all that is stored. */
  keys(): Promise<string[]>
  /** The same metadata with other methods for upkeep. */
  withUpkeep(methods: Partial<MetadataStore['upkeep']>): MetadataStore
}

export const openGarbageStore = async (): Promise<GarbageStore> => {
  const directory = await mkdtemp(join(tmpdir(), 'stowage-garbage-'))
  const metadata = await sqliteMetadata({ path: join(directory, 'registry.db') })
  const blobs = await fileSystemBlobs({ root: directory })
  let steady = 0
  const now = () => store.now

  const store: GarbageStore = {
    directory,
    metadata,
    blobs,
    now: Date.now(),

    pass(milliseconds) {
      store.now += milliseconds
      steady += milliseconds
    },

    collection(more = {}) {
      const { sweep } = createBlobs({ metadata, blobs, removeUsed: false, now, onMissingBytes: () => {} })
      const clock = createClock({ now, monotonic: () => steady, tolerance: hour })
      const options = { metadata, blobs, grace: day, clock, policies: {}, sweep, logger: silentLogger, now }
      return createGarbageCollection({ ...options, ...more })
    },

    async push(repository, text, into = metadata) {
      const uploads = createUploads({ metadata: into, blobs, expireAfter: hour, maxBlobSize: 1000, now })
      const bytes = Buffer.from(text)
      const digest = digestOf(bytes, 'sha256')
      await uploads.receiveWhole(grantOn(repository), digest, {
        chunks: async function* () {
          yield bytes
        },
        owned: false,
        length: bytes.byteLength,
        range: undefined,
        signal: new AbortController().signal,
      })
      return digest
    },

    mount: async (repository, digest) =>
      metadata.mountBlob({ repository, digest, readable: { kind: 'all' }, at: store.now }, grantOn(repository)),

    async orphan(text) {
      const upload = await blobs.openUpload(randomUUID())
      await upload.write([Buffer.from(text)])
      return upload.commit(digestOf(Buffer.from(text), 'sha256'))
    },

    keys: async () => (await Array.fromAsync(blobs.listBlobs())).map(({ key }) => key).toSorted(),

    withUpkeep: (methods) => ({ ...metadata, upkeep: { ...metadata.upkeep, ...methods } }),

    async [Symbol.asyncDispose]() {
      await blobs[Symbol.asyncDispose]()
      await metadata[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
  return store
}
