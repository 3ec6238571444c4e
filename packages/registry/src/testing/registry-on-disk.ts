import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RegistryOptions } from '@stowage/registry'
import { doors, type OpenDoor } from '@stowage/testkit'
import { examine, type ExamineOptions } from '../upkeep/examine.ts'
import type { Finding } from '../upkeep/finding.ts'
import { openForExamination } from '../upkeep/open-for-examination.ts'

/** A registry in a directory of its own, and hands to spoil what is stored there. */
export interface RegistryOnDisk extends AsyncDisposable {
  readonly directory: string
  readonly door: OpenDoor
  /** Changes rows as no registry would: with a connection that knows no foreign keys. Remembered answers of the server stay. */
  edit(sql: string, ...values: (string | number | Uint8Array | null)[]): void
  /** The row of a question, in the database as it is. */
  ask(sql: string, ...values: (string | number)[]): Record<string, unknown> | undefined
  /** The file of the blob. */
  fileOf(digest: string): string
  /** Everything that an examination of the directory finds. */
  examine(options?: Partial<ExamineOptions>): Promise<Finding[]>
  /** Stops the server and starts it again, with work on the directory between. */
  restart(between?: () => void | Promise<void>): Promise<void>
}

export const openDoor = async (options: Partial<RegistryOptions>): Promise<OpenDoor> => {
  const [inProcess] = doors
  if (inProcess === undefined) throw new Error('There is no door.')
  return inProcess.open(options)
}

export const registryOnDisk = async (options: Partial<RegistryOptions> = {}): Promise<RegistryOnDisk> => {
  const base = await mkdtemp(join(tmpdir(), 'stowage-on-disk-'))
  const directory = join(base, 'data')
  const open = async (): Promise<OpenDoor> => openDoor({ storage: directory, ...options })
  let opened = await open()
  const database = <T>(work: (connection: DatabaseSync) => T): T => {
    const connection = new DatabaseSync(join(directory, 'registry.db'), { enableForeignKeyConstraints: false })
    try {
      connection.exec('pragma busy_timeout = 5000')
      return work(connection)
    } finally {
      connection.close()
    }
  }
  const ask: RegistryOnDisk['ask'] = (sql, ...values) =>
    database((connection) => connection.prepare(sql).get(...values))

  return {
    directory,
    get door() {
      return opened
    },
    edit: (sql, ...values) => database((connection) => void connection.prepare(sql).run(...values)),
    ask,
    fileOf: (digest) =>
      join(directory, 'blobs', String(ask('select key from blobs where digest = ?', digest)?.['key'])),
    examine: async (more = {}) => examineDirectory(directory, more),
    restart: async (between) => {
      await opened[Symbol.asyncDispose]()
      await between?.()
      opened = await open()
    },
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]()
      await rm(base, { recursive: true, force: true })
    },
  }
}

export const examineDirectory = async (directory: string, more: Partial<ExamineOptions> = {}): Promise<Finding[]> => {
  await using storage = await openForExamination(directory)
  const findings = await Array.fromAsync(examine({ ...storage, ...more }))
  return findings
}
