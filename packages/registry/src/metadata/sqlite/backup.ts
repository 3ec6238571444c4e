import { open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { Connection } from './connection.ts'

/**
 * Copies the database to a file that must not exist. The copy is of one moment and durable when this resolves. Readers
 * and writers go on meanwhile.
 */
export async function backUp(path: string, writer: Connection, target: string): Promise<void> {
  // Also the one way to claim the name: a copy never replaces a file.
  await (await open(target, 'wx', 0o600)).close()
  // A connection of its own, and all pages in one step of another thread: one snapshot, which no write makes start again.
  const source = path === ':memory:' ? undefined : new DatabaseSync(path, { readOnly: true })
  try {
    await backup(source ?? writer.database, target, { rate: 0x7fff_ffff })
    await sync(target)
    await sync(dirname(target))
  } catch (error) {
    await rm(target, { force: true })
    throw error
  } finally {
    source?.close()
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
