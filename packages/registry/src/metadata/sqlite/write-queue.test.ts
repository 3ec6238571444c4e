import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDigest } from '@stowage/oci'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from '../migrations/migrate.ts'
import { findUpload } from '../operations/uploads.ts'
import type { Connection } from './connection.ts'
import { openConnection } from './connection.ts'
import { readPragma } from './pragmas.ts'
import type { WriteQueue } from './write-queue.ts'
import { createWriteQueue } from './write-queue.ts'

const base = mkdtempSync(join(tmpdir(), 'stowage-queue-'))
afterAll(() => rmSync(base, { recursive: true }))

const grant = { actor: 'alice', action: 'push', repository: undefined, overwriteTags: true } as const

const digest = parseDigest(`sha256:${'0'.repeat(64)}`)

const upload = (id: string) => ({ id, repository: 'a', actor: 'alice', startedAt: 1, touchedAt: 1 })

describe('the write queue', () => {
  let count = 0
  let path: string
  let connection: Connection
  let queue: WriteQueue
  /** `synchronous` as each write found it. */
  let levels: unknown[]

  beforeEach(() => {
    count += 1
    path = join(base, `${count}.db`)
    connection = openConnection(path)
    connection.drive(migrate('sqlite', 1))
    levels = []
    const drive: Connection['drive'] = (operation) => {
      levels.push(readPragma(connection.database, 'synchronous'))
      return connection.drive(operation)
    }
    queue = createWriteQueue({ ...connection, drive }, { limit: 100, batch: 40 })
  })

  afterEach(() => {
    queue.close()
    connection.close()
  })

  const exists = (id: string): boolean => connection.drive(findUpload('a', id)) !== undefined

  /** What another process would see, that is: what has been committed. */
  const committed = (id: string): boolean => {
    const other = openConnection(path)
    const found = other.drive(findUpload('a', id)) !== undefined
    other.close()
    return found
  }

  it('commits what is waiting together', async () => {
    const ids = Array.from({ length: 90 }, (_, number) => `id-${number}`)
    await Promise.all(ids.map((id) => queue.submit('createUpload', upload(id))))
    // 90 writes, at most 40 to a commit.
    expect(queue.commits).toBe(3)
    expect(ids.every(exists)).toBe(true)
  })

  it('settles a write after its commit', async () => {
    const first = queue.submit('createUpload', upload('one'))
    const second = queue.submit('createUpload', upload('two'))
    expect(committed('one')).toBe(false)
    await first
    expect([committed('one'), committed('two')]).toEqual([true, true])
    await second
  })

  it('keeps the neighbours of a write that fails, and of one that undoes itself', async () => {
    const finish = { repository: 'b', uploadId: 'nowhere', digest, size: 1, key: 'k', at: 1 }
    const results = await Promise.allSettled([
      queue.submit('createUpload', upload('one')),
      queue.submit('createUpload', upload('one')),
      queue.submit('finishUpload', finish, grant),
      queue.submit('createUpload', upload('two')),
    ])
    expect(queue.commits).toBe(1)
    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { message: expect.stringContaining('UNIQUE') } },
      { status: 'fulfilled', value: { outcome: 'upload-unknown' } },
      { status: 'fulfilled' },
    ])
    expect([exists('one'), exists('two')]).toEqual([true, true])
    expect(connection.database.prepare('select count(*) as n from repositories').get()).toEqual({ n: 0 })
  })

  it('rolls back a write that fails or undoes itself when it is alone', async () => {
    const finish = { repository: 'b', uploadId: 'nowhere', digest, size: 1, key: 'k', at: 1 }
    expect(await queue.submit('finishUpload', finish, grant)).toEqual({ outcome: 'upload-unknown' })
    await queue.submit('createUpload', upload('one'))
    await expect(queue.submit('createUpload', upload('one'))).rejects.toThrow('UNIQUE')
    expect(connection.database.prepare('select count(*) as n from repositories').get()).toEqual({ n: 0 })
    expect(connection.database.isTransaction).toBe(false)
    await queue.submit('createUpload', upload('two'))
  })

  it('waits for the disk unless every write of the commit may be lost', async () => {
    await queue.submit('createUpload', upload('one'))
    await queue.submit('cancelUpload', 'a', 'one')
    await Promise.all([queue.submit('createUpload', upload('two')), queue.submit('cancelUpload', 'a', 'two')])
    await queue.submit('saveUpload', 'two', { touchedAt: 5 })
    await queue.submit('touchTokens', [{ id: 'one', at: 1 }])
    await queue.submit('removeToken', 'one')
    const [normal, full] = [1, 2]
    expect(levels).toEqual([normal, full, full, full, normal, normal, full])
  })

  it('refuses what it cannot hold, and takes more when there is room again', async () => {
    const waiting = Array.from({ length: 100 }, (_, number) => queue.submit('createUpload', upload(`id-${number}`)))
    await expect(queue.submit('createUpload', upload('late'))).rejects.toMatchObject({ code: 'OVERLOADED' })
    await Promise.all(waiting)
    await queue.submit('createUpload', upload('late'))
    expect(exists('late')).toBe(true)
  })

  it('rejects all that shared a commit when the disk is full, and goes on when there is room again', async () => {
    const { database } = connection
    const pages = readPragma(database, 'page_count')
    database.exec(`pragma max_page_count = ${String(pages)}`)
    const large = (id: string) => ({ ...upload(id), state: 'x'.repeat(100_000) })
    const results = await Promise.allSettled([
      queue.submit('createUpload', upload('small')),
      queue.submit('createUpload', large('large')),
      queue.submit('createUpload', upload('after')),
    ])
    expect(results).toMatchObject(
      Array.from({ length: 3 }, () => ({ status: 'rejected', reason: { code: 'STORAGE_FULL' } })),
    )
    expect([exists('small'), exists('large'), exists('after')]).toEqual([false, false, false])
    database.exec('pragma max_page_count = 1000000')
    await Promise.all([queue.submit('createUpload', upload('small')), queue.submit('createUpload', large('large'))])
    expect([exists('small'), exists('large')]).toEqual([true, true])
  })

  it('writes nothing while another program holds the database', async () => {
    connection.database.exec('pragma busy_timeout = 0')
    const other = openConnection(path)
    other.database.exec('begin immediate')
    const writes = ['one', 'two'].map((id) => queue.submit('createUpload', upload(id)))
    await Promise.all(writes.map((write) => expect(write).rejects.toMatchObject({ code: 'OVERLOADED' })))
    other.close()
    await queue.submit('createUpload', upload('one'))
    expect([exists('one'), exists('two')]).toEqual([true, false])
  })

  it('takes nothing more after a write of unknown outcome, and the log can still be read', async () => {
    await queue.submit('createUpload', upload('before'))
    queue.close()
    const { database } = connection
    let failing = true
    // A disk that fails in the commit. Another place for it is not to be had from a good one.
    const exec = (sql: string): void => {
      if (sql === 'commit' && failing) throw Object.assign(new Error('disk I/O error'), { errcode: 1034 })
      database.exec(sql)
    }
    const faulty = new Proxy(database, {
      get: (target, name) => {
        if (name === 'exec') return exec
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    queue = createWriteQueue({ ...connection, database: faulty }, { limit: 100, batch: 1 })
    const results = await Promise.allSettled([
      queue.submit('createUpload', upload('one')),
      queue.submit('createUpload', upload('two')),
    ])
    failing = false
    // Of the first it is unknown. The second waited behind it, and nothing of it was done.
    expect(results).toMatchObject([{ reason: { code: 'UNAVAILABLE' } }, { reason: { code: 'WRITES_STOPPED' } }])
    await expect(queue.submit('createUpload', upload('three'))).rejects.toMatchObject({ code: 'WRITES_STOPPED' })
    await expect(queue.submit('check', 1)).rejects.toThrow('restart')
    expect(['before', 'one', 'two', 'three'].map(exists)).toEqual([true, false, false, false])
    expect(database.isTransaction).toBe(false)
  })

  it('takes nothing more after a statement found the database damaged, and does not commit its neighbours', async () => {
    const drive: Connection['drive'] = (operation) => {
      if (!damaged) return connection.drive(operation)
      throw Object.assign(new Error('database disk image is malformed'), { errcode: 11 })
    }
    let damaged = false
    queue.close()
    queue = createWriteQueue({ ...connection, drive }, { limit: 100 })
    const first = queue.submit('createUpload', upload('one'))
    damaged = true
    await expect(first).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    damaged = false
    await expect(queue.submit('createUpload', upload('two'))).rejects.toMatchObject({ code: 'WRITES_STOPPED' })
    expect(connection.database.isTransaction).toBe(false)
  })

  it('commits what is waiting when it is closed, and takes nothing more', async () => {
    const waiting = queue.submit('createUpload', upload('one'))
    queue.close()
    expect(exists('one')).toBe(true)
    await waiting
    await expect(queue.submit('createUpload', upload('two'))).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
