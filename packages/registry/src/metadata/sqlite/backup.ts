import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup, type DatabaseSync } from 'node:sqlite'
import { isInUse, openDatabaseReadOnly } from './read-only-connection.ts'

/**
 * Copies the database to a file that must not exist. The copy is of one moment and durable when this resolves. Readers
 * and writers go on meanwhile, in this process or another.
 */
export async function backUp(path: string, target: string): Promise<void> {
  await claim(target)
  try {
    for (;;) {
      // A connection of its own, and all pages in one step of another thread: one snapshot, which no write makes start again.
      const { database: source, alone } = openDatabaseReadOnly(path)
      try {
        await copy(source, target)
      } finally {
        source.close()
      }
      // A server that has started meanwhile may have written between two pages.
      if (!alone || !isInUse(path)) break
    }
    await sync(target)
    await sync(dirname(target))
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}

/** The same for a database in memory, which only its own connection sees. */
export async function backUpMemory(database: DatabaseSync, target: string): Promise<void> {
  await claim(target)
  try {
    await copy(database, target)
    await sync(target)
    await sync(dirname(target))
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}

/** The one way to have a name: a copy never replaces a file. */
const claim = async (target: string): Promise<void> => {
  await (await open(target, 'wx', 0o600)).close()
}

const copy = async (source: DatabaseSync, target: string): Promise<void> => {
  await backup(source, target, { rate: 0x7fff_ffff })
}

const sync = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
