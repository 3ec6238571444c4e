import { accountsOf } from '../accounts-of.ts'
import type { MetadataStore } from '../metadata-store.ts'
import { findBlobRow, findMountSource, listGarbage } from '../operations/blobs.ts'
import { readEvents } from '../operations/events.ts'
import { statistics } from '../operations/health.ts'
import { inspect } from '../operations/inspect.ts'
import { readContent } from '../operations/manifest-contents.ts'
import { findManifestByDigest, findManifestByTag } from '../operations/manifests.ts'
import { listReferrers } from '../operations/referrers.ts'
import { findRepository, listRepositories } from '../operations/repositories.ts'
import { describeTags, listTags, listTagsOf } from '../operations/tags.ts'
import { findUpload, listExpiredUploads } from '../operations/uploads.ts'
import { usage } from '../operations/usage.ts'
import { upkeepOf } from '../upkeep-of.ts'
import { backUp, backUpMemory } from './backup.ts'
import type { Connection } from './connection.ts'
import { openConnection } from './connection.ts'
import { explaining } from './error-code.ts'
import { inspectDatabase } from './inspect-database.ts'
import { migrateDatabase } from './migrate-database.ts'
import { remembered } from './remembered.ts'
import type { WriteQueueOptions } from './write-queue.ts'
import { createWriteQueue } from './write-queue.ts'

export interface SqliteMetadataOptions {
  /** The database file, made when it is missing, in a directory that exists; or `:memory:`. */
  readonly path: string
  readonly queue?: Omit<WriteQueueOptions, 'onCommit'>
}

export interface SqliteMetadata extends MetadataStore {
  readonly kind: 'sqlite'
  /** Writes a copy of the database as it is now to a new file, while everything goes on. */
  backUp(path: string): Promise<void>
}

/**
 * The metadata in one SQLite file. One process owns it (see `lockDirectory`). Reads run in this thread, at once; writes
 * wait for their group commit.
 *
 * Rejects when the file was written by a newer version, or when SQLite does not take a setting that durability rests on.
 */
export async function sqliteMetadata({ path, queue }: SqliteMetadataOptions): Promise<SqliteMetadata> {
  const writer = openConnection(path)
  let reader: Connection
  try {
    migrateDatabase(writer)
    // A database in memory belongs to its connection. Nothing reads while a transaction is open: it is one block.
    reader = path === ':memory:' ? writer : explaining(openConnection(path))
  } catch (error) {
    writer.close()
    throw error
  }
  let closed = false

  // The questions of every pull go straight to their statements, and their answers are kept while nothing is written.
  const manifestByTag = remembered(reader.prepare(findManifestByTag))
  const manifestByDigest = remembered(reader.prepare(findManifestByDigest))
  const blob = remembered(reader.prepare(findBlobRow))
  const manifestContent = reader.prepare(readContent)
  const repository = reader.prepare(findRepository)

  const writes = createWriteQueue(writer, {
    ...queue,
    onCommit: (changesContent) => {
      if (!changesContent) return
      for (const answers of [manifestByTag, manifestByDigest, blob]) answers.forget()
    },
  })
  const { submit } = writes

  const store: SqliteMetadata = {
    kind: 'sqlite',

    repositoryExists: async (name) => repository(name) !== undefined,
    listRepositories: async (page) => reader.drive(listRepositories(page)),

    findManifest: async (name, reference) =>
      'tag' in reference ? manifestByTag.ask(name, reference.tag) : manifestByDigest.ask(name, reference.digest),
    readManifest: async (name, digest) => manifestContent(name, digest)?.bytes,
    putManifest: (put, grant) => submit('putManifest', put, grant),
    listTagsOf: async (name, digest) => reader.drive(listTagsOf(name, digest)),
    deleteManifest: (target, grant) => submit('deleteManifest', target, grant),
    deleteTag: (target, grant) => submit('deleteTag', target, grant),
    listTags: async (page) => reader.drive(listTags(page)),
    describeTags: async (page) => reader.drive(describeTags(page)),
    listReferrers: async (page) => reader.drive(listReferrers(page)),

    findBlob: async (name, digest) => blob.ask(name, digest),
    // Most mounts that clients try find nothing: they need no write.
    mountBlob: async (mount, grant) =>
      reader.drive(findMountSource(mount)) === undefined ? undefined : submit('mountBlob', mount, grant),
    unlinkBlob: (target, grant) => submit('unlinkBlob', target, grant),
    listGarbage: async (page) => reader.drive(listGarbage(page)),
    forgetGarbage: (keys) => submit('forgetGarbage', keys),

    usage: async (quota) => reader.drive(usage(quota)),

    createUpload: (upload, limits) => submit('createUpload', upload, limits),
    findUpload: async (name, id) => reader.drive(findUpload(name, id)),
    saveUpload: (id, progress) => submit('saveUpload', id, progress),
    finishUpload: (finish, grant) => submit('finishUpload', finish, grant),
    cancelUpload: (name, id) => submit('cancelUpload', name, id),
    listExpiredUploads: async (page) => reader.drive(listExpiredUploads(page)),
    expireUpload: (id, touchedBefore) => submit('expireUpload', id, touchedBefore),

    enrollReceivers: (names) => submit('enrollReceivers', names),
    readEvents: async (receiver, limit) => reader.drive(readEvents(receiver, limit)),
    acknowledgeEvents: (receiver, sequence) => submit('acknowledgeEvents', receiver, sequence),
    recordPulls: (pulls) => submit('recordPulls', pulls),

    accounts: accountsOf(submit, async (operation) => reader.drive(operation)),

    upkeep: {
      ...upkeepOf(submit, async (operation) => reader.drive(operation)),
      inspect: async (limit) => [...inspectDatabase(reader.database, limit), ...reader.drive(inspect(limit))],
    },

    statistics: async () => reader.drive(statistics()),
    check: () => submit('check', Date.now()),
    backUp: (target) => (path === ':memory:' ? backUpMemory(writer.database, target) : backUp(path, target)),

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      writes.close()
      if (reader !== writer) reader.close()
      writer.close()
    },
  }
  return store
}
