import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type Digest, parseDigest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileOperations, fileOperations } from './file-operations.ts'
import { fileSystemBlobs } from './file-system-blobs.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stowage-blobs-'))
})

afterEach(() => rmSync(root, { recursive: true }))

const digestOf = (bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)

const below = (path: string): string =>
  relative(root, path)
    .replace(/^uploads\/[0-9a-f-]{36}$/, 'uploads/<id>')
    .replace(/\.[0-9a-f]{32}$/, '.<generation>')

/** Notes which system call was made on which path below the data directory, in order of their completion. */
const watch = (): { files: FileOperations; calls: string[] } => {
  const calls: string[] = []
  const paths = new Map<number, string>()
  const files: FileOperations = {
    ...fileOperations,
    open: async (path, flags, mode) => {
      const fd = await fileOperations.open(path, flags, mode)
      paths.set(fd, below(path))
      return fd
    },
    write: async (fd, chunks, position) => {
      const count = await fileOperations.write(fd, chunks, position)
      calls.push(`write ${paths.get(fd)}`)
      return count
    },
    sync: async (fd) => {
      await fileOperations.sync(fd)
      calls.push(`sync ${paths.get(fd)}`)
    },
    rename: async (from, to) => {
      await fileOperations.rename(from, to)
      calls.push(`rename ${below(from)} ${below(to)}`)
    },
    unlink: async (path) => {
      await fileOperations.unlink(path)
      calls.push(`unlink ${below(path)}`)
    },
  }
  return { files, calls }
}

const fault = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

/** Every file of a blob, as paths below `blobs`. */
const storedFiles = (): string[] =>
  readdirSync(join(root, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(root, 'blobs'), join(entry.parentPath, entry.name)))

describe('a commit', () => {
  it('is done when the bytes, then the name, are durable', async () => {
    const { files, calls } = watch()
    await using store = await fileSystemBlobs({ root }, files)
    const bytes = Buffer.from('stowage')
    const hex = createHash('sha256').update(bytes).digest('hex')
    const shard = `blobs/sha256/${hex.slice(0, 2)}`
    const upload = await store.openUpload(randomUUID())
    calls.length = 0
    await upload.write([bytes])
    const key = await upload.commit(digestOf(bytes))
    expect(calls).toEqual([
      'write uploads/<id>',
      'sync uploads/<id>',
      `rename uploads/<id> ${shard}/${hex}.<generation>`,
      `sync ${shard}`,
    ])
    expect(storedFiles()).toEqual([key])
  })

  it('makes the directories of other algorithms durable first, each entry in its parent', async () => {
    const { files, calls } = watch()
    await using store = await fileSystemBlobs({ root }, files)
    const bytes = Buffer.from('stowage')
    const shard = createHash('sha512').update(bytes).digest('hex').slice(0, 2)
    const upload = await store.openUpload(randomUUID())
    await upload.write([bytes])
    calls.length = 0
    await upload.commit(digestOf(bytes, 'sha512'))
    const renamed = calls.findIndex((call) => call.startsWith('rename'))
    expect(calls.slice(0, renamed).toSorted()).toEqual(['sync blobs', 'sync blobs/sha512', 'sync uploads/<id>'])
    expect(calls.slice(renamed + 1)).toEqual([`sync blobs/sha512/${shard}`])
  })

  it('of an empty blob is as durable', async () => {
    const { files, calls } = watch()
    await using store = await fileSystemBlobs({ root }, files)
    calls.length = 0
    await (await store.openUpload(randomUUID())).commit(digestOf(new Uint8Array(0)))
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['sync', 'rename', 'sync'])
  })

  it('whose bytes could not be synced fails for good: Linux would say yes to a second try', async () => {
    let syncs = 0
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    files.sync = async () => {
      syncs += 1
      throw fault('EIO')
    }
    const bytes = randomBytes(1000)
    const upload = await store.openUpload(randomUUID())
    await upload.write([bytes])
    await expect(upload.commit(digestOf(bytes))).rejects.toThrow('discard it')
    expect(syncs).toBe(1)
    await expect(store.check()).rejects.toThrow('Check the disk')
    files.sync = fileOperations.sync
    await store.check()
    await expect(upload.commit(digestOf(bytes))).rejects.toThrow('discard it')
    await expect(upload.write([bytes])).rejects.toThrow('discard it')
    expect(storedFiles()).toEqual([])
    expect(readdirSync(join(root, 'uploads'))).toEqual([])
  })

  it('that fails because the disk is full leaves the store ready', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    files.sync = () => Promise.reject(fault('ENOSPC'))
    const upload = await store.openUpload(randomUUID())
    await upload.write([Buffer.from('a')])
    await expect(upload.commit(digestOf(Buffer.from('a')))).rejects.toThrow('discard it')
    await expect(store.check()).rejects.toThrow('ENOSPC')
    files.sync = fileOperations.sync
    await store.check()
  })

  it('whose name could not be synced fails, and leaves no blob', async () => {
    const { files } = watch()
    await using store = await fileSystemBlobs({ root }, files)
    const sync = files.sync
    let first = true
    files.sync = async (fd) => {
      if (!first) throw fault('EIO')
      first = false
      await sync(fd)
    }
    const upload = await store.openUpload(randomUUID())
    await upload.write([Buffer.from('a')])
    await expect(upload.commit(digestOf(Buffer.from('a')))).rejects.toThrow('EIO')
    expect(storedFiles()).toEqual([])
    await expect(store.check()).rejects.toThrow('Check the disk')
    expect(readdirSync(join(root, 'uploads'))).toEqual([])
  })

  it('whose file was made by a call that failed can be tried again', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    const upload = await store.openUpload(randomUUID())
    files.open = async (...args) => {
      await fileOperations.close(await fileOperations.open(...args))
      throw fault('EIO')
    }
    await expect(upload.write([Buffer.from('a')])).rejects.toThrow('EIO')
    files.open = fileOperations.open
    await upload.write([Buffer.from('a')])
    await upload.commit(digestOf(Buffer.from('a')))
  })

  it('does not follow a link that was put in the place of an upload', async () => {
    await using store = await fileSystemBlobs({ root })
    const id = randomUUID()
    const upload = await store.openUpload(id)
    writeFileSync(join(root, 'elsewhere'), 'precious')
    symlinkSync(join(root, 'elsewhere'), join(root, 'uploads', id))
    await expect(upload.write([Buffer.from('a')])).rejects.toThrow('EEXIST')
    await expect(store.openUpload(id)).rejects.toThrow('not a regular file')
    expect(statSync(join(root, 'elsewhere')).size).toBe('precious'.length)
  })
})

describe('a delete', () => {
  it('is done when the name is durably gone', async () => {
    const { files, calls } = watch()
    await using store = await fileSystemBlobs({ root }, files)
    const upload = await store.openUpload(randomUUID())
    const key = await upload.commit(digestOf(new Uint8Array(0)))
    calls.length = 0
    await store.delete(key)
    expect(calls.map((call) => call.replace(/[0-9a-f]{64}/, '<hex>'))).toEqual([
      'unlink blobs/sha256/e3/<hex>.<generation>',
      'sync blobs/sha256/e3',
    ])
    calls.length = 0
    // The one before may have been cut off between the two.
    await store.delete(key)
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['sync'])
  })
})

describe('a write', () => {
  it('goes on when the system takes fewer bytes than it was given', async () => {
    const files: FileOperations = {
      ...fileOperations,
      write: (fd, chunks, position) => fileOperations.write(fd, [Buffer.concat(chunks).subarray(0, 777)], position),
      read: (fd, buffer, position) => fileOperations.read(fd, buffer.subarray(0, 4097), position),
    }
    await using store = await fileSystemBlobs({ root }, files)
    const bytes = randomBytes(400_000)
    const upload = await store.openUpload(randomUUID())
    await upload.write([bytes.subarray(0, 10), bytes.subarray(10, 5000), bytes.subarray(5000)])
    expect(Buffer.concat(await Array.fromAsync(upload.read())).equals(bytes)).toBe(true)
    const key = await upload.commit(digestOf(bytes))
    for (const end of [100_000, 400_000]) {
      const read = await store.read(key, 0, end)
      const got = read instanceof Uint8Array ? read : Buffer.concat(await Array.fromAsync(read ?? []))
      expect(Buffer.compare(got, bytes.subarray(0, end))).toBe(0)
    }
  })

  it('is refused when the disk has no more free than is kept for the database', async () => {
    const files: FileOperations = { ...fileOperations, room: async () => ({ free: 1000, total: 10_000 }) }
    await using store = await fileSystemBlobs({ root, keepFree: 900 }, files)
    const upload = await store.openUpload(randomUUID())
    await expect(upload.write([randomBytes(60), randomBytes(60)])).rejects.toMatchObject({ code: 'ENOSPC' })
    expect([upload.size, readdirSync(join(root, 'uploads'))]).toEqual([0, []])
    const bytes = randomBytes(100)
    await upload.write([bytes])
    await upload.commit(digestOf(bytes))
  })

  it('that fails in the middle keeps what was written for certain, and the file agrees', async () => {
    const bytes = randomBytes(5000)
    let full = true
    const files: FileOperations = {
      ...fileOperations,
      // Takes 1000 bytes, then writes 500 more but fails without saying so.
      write: async (fd, chunks, position) => {
        if (!full) return fileOperations.write(fd, chunks, position)
        if (position === 0) return fileOperations.write(fd, [Buffer.concat(chunks).subarray(0, 1000)], position)
        await fileOperations.write(fd, [Buffer.concat(chunks).subarray(0, 500)], position)
        throw fault('ENOSPC')
      },
    }
    await using store = await fileSystemBlobs({ root }, files)
    const id = randomUUID()
    const upload = await store.openUpload(id)
    await expect(upload.write([bytes])).rejects.toThrow('ENOSPC')
    expect(upload.size).toBe(1000)
    expect((await store.openUpload(id)).size).toBe(1000)
    full = false
    await upload.write([bytes.subarray(1000)])
    await upload.commit(digestOf(bytes))
    expect(storedFiles()).toHaveLength(1)
  })

  it('that fails and could not be taken back is taken back before the next one, or the end', async () => {
    const files: FileOperations = { ...fileOperations }
    await using store = await fileSystemBlobs({ root }, files)
    for (const [name, next] of [
      ['one', [Buffer.from('b')]],
      ['two', []],
    ] as const) {
      const [bytes, rest] = [Buffer.from(`a ${name}`), Buffer.concat(next)]
      const upload = await store.openUpload(randomUUID())
      await upload.write([bytes])
      files.write = async (fd, chunks, position) => {
        await fileOperations.write(fd, chunks, position)
        throw fault('EIO')
      }
      files.truncate = () => Promise.reject(fault('EIO'))
      await expect(upload.write([Buffer.from('lost')])).rejects.toThrow('EIO')
      await expect(upload.write([Buffer.from('lost')])).rejects.toThrow('EIO')
      expect(upload.size).toBe(bytes.byteLength)
      Object.assign(files, { write: fileOperations.write, truncate: fileOperations.truncate })
      await upload.write(next)
      const whole = Buffer.concat([bytes, rest])
      const key = await upload.commit(digestOf(whole))
      expect(statSync(join(root, 'blobs', key)).size).toBe(whole.byteLength)
    }
  })
})

it('a closed store takes no more', async () => {
  const store = await fileSystemBlobs({ root })
  const upload = await store.openUpload(randomUUID())
  await store[Symbol.asyncDispose]()
  await expect(upload.write([Buffer.from('a')])).rejects.toThrow('closed')
  await expect(store.openUpload(randomUUID())).rejects.toThrow('closed')
  await expect(store.read('key', 0, 1)).rejects.toThrow('closed')
  await expect(store.check()).rejects.toThrow('closed')
})
