import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore, BlobUpload } from '../blobs/blob-store.ts'
import { fileSystemBlobs } from '../blobs/file-system/file-system-blobs.ts'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { RegistryError } from '../errors.ts'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { digestOf } from './digester.ts'
import { type Body, createUploads, type RepositoryGrant, type Uploads } from './uploads.ts'

const grant: RepositoryGrant = { actor: 'ann', action: 'push', repository: 'a/b', overwriteTags: true }
const sha256 = (text: string): Digest => digestOf(Buffer.from(text), 'sha256')
const never = new AbortController().signal

/** A body whose pieces the test lets in one by one. */
const controlled = (more: Partial<Body> = {}) => {
  let wake = Promise.withResolvers<void>()
  const pieces: (string | Error | undefined)[] = []
  const say = (piece: string | Error | undefined): void => {
    pieces.push(piece)
    wake.resolve()
  }
  const body: Body = {
    length: undefined,
    owned: false,
    range: undefined,
    signal: never,
    async *chunks(signal) {
      const given = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      })
      given.catch(() => {})
      signal.throwIfAborted()
      for (;;) {
        while (pieces.length === 0) {
          await Promise.race([wake.promise, given])
          wake = Promise.withResolvers<void>()
        }
        const piece = pieces.shift()
        if (piece === undefined) return
        if (piece instanceof Error) throw piece
        yield Buffer.from(piece)
      }
    },
    ...more,
  }
  return { body, say, end: () => say(undefined), breakOff: () => say(new Error('the connection broke')) }
}

const text = (content: string, more: Partial<Body> = {}): Body => {
  const { body, say, end } = controlled({ length: Buffer.byteLength(content), ...more })
  if (content !== '') say(content)
  end()
  return body
}

type Failure = () => Error | undefined

/** The same object, but a method first asks whether it is to fail, or waits where the test wants it to. */
const intercept = <T extends object>(target: T, before: Partial<Record<keyof T, () => Promise<void>>>): T =>
  new Proxy(target, {
    get: (object, name) => {
      const value: unknown = Reflect.get(object, name, object)
      const hook = before[name as keyof T]
      if (typeof value !== 'function') return value
      return hook === undefined
        ? (value.bind(object) as unknown)
        : async (...args: unknown[]) => {
            await hook()
            return (value as (...args: unknown[]) => unknown).apply(object, args)
          }
    },
  })

const failing = (failure: Failure) => async (): Promise<void> => {
  const error = failure()
  if (error !== undefined) throw error
}

/** A place in the code where the test can hold the one who comes. */
const gate = () => {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    open: () => opened.resolve(),
    pass: async () => {
      reached.resolve()
      await opened.promise
    },
  }
}

const fault = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'nothing',
    (error: unknown) => (error instanceof RegistryError ? error.fault : String(error)),
  )

describe.each(['memory', 'file-system'])('uploads over blobs in %s', (kind) => {
  let directory: string
  let metadata: MetadataStore
  let blobs: BlobStore
  let uploads: Uploads
  let now: number

  const use = (
    change: { metadata?: (store: MetadataStore) => MetadataStore; blobs?: (store: BlobStore) => BlobStore } = {},
  ): void => {
    uploads = createUploads({
      metadata: change.metadata?.(metadata) ?? metadata,
      blobs: change.blobs?.(blobs) ?? blobs,
      expireAfter: 600_000,
      maxBlobSize: 1_000_000,
      now: () => now,
    })
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-uploads-'))
    metadata = await sqliteMetadata({ path: ':memory:' })
    blobs = kind === 'memory' ? memoryBlobs() : await fileSystemBlobs({ root: directory })
    now = Date.now()
    use()
  })
  afterEach(async () => {
    await uploads[Symbol.asyncDispose]()
    await blobs[Symbol.asyncDispose]()
    await metadata[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })

  const begin = async (): Promise<string> => (await uploads.start(grant, 'sha256')).id
  const stored = async (): Promise<string[]> => (await Array.fromAsync(blobs.listUploads())).map(({ id }) => id)
  const read = async (content: string): Promise<string> => {
    const row = await metadata.findBlob('a/b', sha256(content))
    const bytes = row && (await blobs.read(row.key, 0, row.size))
    return bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : 'not there'
  }
  const committed = async (): Promise<number> =>
    kind === 'memory'
      ? 0
      : (await readdir(join(directory, 'blobs'), { recursive: true })).filter((name) => name.includes('.')).length

  /** A store whose uploads stop where the test says before they become blobs. */
  const commitThrough = (pass: () => Promise<void>) => (store: BlobStore) =>
    new Proxy(store, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object)
        if (name === 'openUpload') {
          return async (id: string, state?: string): Promise<BlobUpload> =>
            intercept(await object.openUpload(id, state), { commit: pass })
        }
        return typeof value === 'function' ? (value.bind(object) as unknown) : value
      },
    })

  describe('while the closing request makes the bytes durable', () => {
    it('a cancel ends the upload, and the closing request says so', async () => {
      const committing = gate()
      use({ blobs: commitThrough(committing.pass) })
      const id = await begin()
      await uploads.append(grant, id, text('hello'))
      const finish = fault(uploads.finish(grant, id, sha256('hello'), undefined))
      await committing.reached
      const cancel = fault(uploads.cancel(grant, id))
      // The cancel has its row before the bytes go on.
      await expect.poll(async () => metadata.findUpload('a/b', id)).toBeUndefined()
      await new Promise((resolve) => setTimeout(resolve, 20))
      committing.open()
      expect([await cancel, await finish]).toEqual(['nothing', 'upload-unknown'])
      expect(await stored()).toEqual([])
      expect(await committed()).toBe(0)
    })

    it('a chunk waits, and finds the upload finished', async () => {
      const committing = gate()
      use({ blobs: commitThrough(committing.pass) })
      const id = await begin()
      await uploads.append(grant, id, text('hello'))
      const finish = fault(uploads.finish(grant, id, sha256('hello'), undefined))
      await committing.reached
      const append = fault(uploads.append(grant, id, text(' world')))
      await new Promise((resolve) => setTimeout(resolve, 20))
      committing.open()
      expect([await finish, await append]).toEqual(['nothing', 'upload-unknown'])
      expect(await stored()).toEqual([])
      expect(await read('hello')).toBe('hello')
    })
  })

  describe('side by side', () => {
    it('a chunk that comes while an idle upload is put aside is taken', async () => {
      const saving = gate()
      let hold = false
      use({ metadata: (store) => intercept(store, { saveUpload: async () => (hold ? saving.pass() : undefined) }) })
      const id = await begin()
      now += 1000
      await uploads.append(grant, id, text('hello'))
      now += 90_000
      hold = true
      const sweep = uploads.sweep()
      await saving.reached
      const append = uploads.append(grant, id, text(' world'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      hold = false
      saving.open()
      await sweep
      expect(await append).toEqual({ id, size: 11 })
      await uploads.finish(grant, id, sha256('hello world'), undefined)
      expect(await read('hello world')).toBe('hello world')
    })

    it('a cancel does not wait until a chunk has come to its end', async () => {
      const id = await begin()
      const { body, say } = controlled()
      say('hello')
      const append = fault(uploads.append(grant, id, body))
      const alive = setInterval(() => say('more'), 50)
      try {
        const canceled = fault(uploads.cancel(grant, id)).then((outcome) => `cancel: ${outcome}`)
        const late = new Promise((resolve) => setTimeout(() => resolve('still waiting'), 4000))
        expect(await Promise.race([canceled, late])).toBe('cancel: nothing')
        expect(await append).toContain('AbortError')
      } finally {
        clearInterval(alive)
      }
      expect(await stored()).toEqual([])
    })

    it('a cancel that meets an upload on its way into memory takes its bytes too', async () => {
      const id = await begin()
      await uploads.append(grant, id, text('hello'))
      await uploads[Symbol.asyncDispose]()
      const opening = gate()
      use({ blobs: (store) => intercept(store, { openUpload: opening.pass }) })
      const append = fault(uploads.append(grant, id, text(' world')))
      await opening.reached
      const cancel = fault(uploads.cancel(grant, id))
      await new Promise((resolve) => setTimeout(resolve, 20))
      opening.open()
      expect(await cancel).toBe('nothing')
      expect(['nothing', 'upload-unknown', 'AbortError']).toContain((await append).split(':')[0])
      expect(await fault(uploads.status(grant, id))).toBe('upload-unknown')
      expect(await stored()).toEqual([])
    })

    it('a request that takes over from a stalled one does not look like a failure of the registry', async () => {
      const id = await begin()
      const { body, say } = controlled()
      say('hello')
      const stalled = uploads.append(grant, id, body).then(
        () => undefined,
        (error: unknown) => error,
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
      now += 6000
      expect(await uploads.append(grant, id, text(' world', { range: { first: 5, last: 10 } }))).toEqual({
        id,
        size: 11,
      })
      expect(await stalled).toMatchObject({ name: 'AbortError' })
      await uploads.finish(grant, id, sha256('hello world'), undefined)
    })

    it.each(['append', 'finish'] as const)(
      'who asks where to go on is told what will still be so (%s)',
      async (way) => {
        const id = await begin()
        await uploads.append(grant, id, text('hello'))
        const { body, say, breakOff } = controlled()
        // More than is gathered before it is stored.
        say('w'.repeat(600_000))
        const cut = fault(
          way === 'append' ? uploads.append(grant, id, body) : uploads.finish(grant, id, sha256('hello world'), body),
        )
        await new Promise((resolve) => setTimeout(resolve, 20))
        const status = uploads.status(grant, id)
        say('r')
        breakOff()
        expect(await cut).toContain('broke')
        // What came with a closing request that failed is taken back.
        expect((await status).size).toBe(way === 'append' ? 600_006 : 5)
      },
    )

    it('who asks about an upload that a request never ends with is told what is there', async () => {
      const id = await begin()
      const { body, say } = controlled()
      say('hello')
      const append = fault(uploads.append(grant, id, body))
      await new Promise((resolve) => setTimeout(resolve, 20))
      const status = uploads.status(grant, id)
      now += 6000
      expect(await status).toEqual({ id, size: 5 })
      expect(await append).toContain('AbortError')
    })

    it('an upload belongs to who began it', async () => {
      const id = await begin()
      await uploads.append(grant, id, text('hello'))
      const other = { ...grant, actor: 'bob' }
      for (const attempt of [
        () => uploads.status(other, id),
        () => uploads.append(other, id, text('evil')),
        () => uploads.finish(other, id, sha256('hello'), undefined),
        () => uploads.cancel(other, id),
      ]) {
        expect(await fault(attempt())).toBe('upload-unknown')
      }
      await uploads.finish(grant, id, sha256('hello'), undefined)
    })
  })

  describe('a closing request that fails', () => {
    it('leaves the upload as it was when its body broke off', async () => {
      const id = await begin()
      await uploads.append(grant, id, text('hello'))
      const { body, say, breakOff } = controlled({ length: 6 })
      say(' wo')
      breakOff()
      expect(await fault(uploads.finish(grant, id, sha256('hello world'), body))).toContain('broke')
      expect(await uploads.status(grant, id)).toEqual({ id, size: 5 })
      await uploads.finish(grant, id, sha256('hello world'), text(' world'))
      expect(await read('hello world')).toBe('hello world')
    })

    it.each(['OVERLOADED', 'STORAGE_FULL', 'CLOSED'] as const)(
      'because the rows could not be written (%s) leaves no bytes and no upload',
      async (code) => {
        let broken = true
        const failure = failing(() => (broken ? new MetadataError(code, 'not now') : undefined))
        use({ metadata: (store) => intercept(store, { finishUpload: failure }) })
        const id = await begin()
        await uploads.append(grant, id, text('hello'))
        expect(await fault(uploads.finish(grant, id, sha256('hello'), undefined))).toContain('not now')
        expect(await fault(uploads.receiveWhole(grant, sha256('whole'), text('whole')))).toContain('not now')
        expect(await stored()).toEqual([])
        expect(await committed()).toBe(0)
        broken = false
        expect(await fault(uploads.status(grant, id))).toBe('upload-unknown')
        await uploads.receiveWhole(grant, sha256('whole'), text('whole'))
      },
    )

    it('without word from the database whether the rows are there keeps the bytes', async () => {
      // The transaction went through and its answer was lost.
      const lost = (store: MetadataStore): MetadataStore => ({
        ...store,
        finishUpload: async (...args) => {
          await store.finishUpload(...args)
          throw new MetadataError('UNAVAILABLE', 'the connection is gone')
        },
      })
      use({ metadata: lost })
      expect(await fault(uploads.receiveWhole(grant, sha256('hello'), text('hello')))).toContain('gone')
      expect(await read('hello')).toBe('hello')
    })
  })

  it('leaves no row behind when the store cannot begin an upload', async () => {
    use({ blobs: (store) => intercept(store, { openUpload: failing(() => new Error('no room')) }) })
    expect(await fault(uploads.start(grant, 'sha256'))).toContain('no room')
    expect((await metadata.statistics()).uploads).toBe(0)
  })

  it('takes a chunk although the clock of its upload cannot be saved', async () => {
    const failure = failing(() => new MetadataError('OVERLOADED', 'not now'))
    use({ metadata: (store) => intercept(store, { saveUpload: failure }) })
    const id = await begin()
    now += 120_000
    expect(await uploads.append(grant, id, text('hello'))).toEqual({ id, size: 5 })
    await uploads.finish(grant, id, sha256('hello'), undefined)
  })

  it('keeps no more in hand than memory and descriptors can take, and loses none of the others', async () => {
    if (kind === 'file-system') return
    let handles = 0
    use({
      blobs: (store) => ({
        ...store,
        openUpload: async (id, state) => {
          handles += 1
          const upload = await store.openUpload(id, state)
          return intercept(upload, {
            close: async () => {
              handles -= 1
            },
            commit: async () => {
              handles -= 1
            },
          })
        },
      }),
    })
    const ids: string[] = []
    for (let count = 0; count < 1300; count++) {
      const id = await begin()
      ids.push(id)
      now += 10
      await uploads.append(grant, id, text(`${id} `))
    }
    expect(handles).toBeLessThanOrEqual(1001)
    for (const id of ids) {
      await uploads.append(grant, id, text('goes on'))
      await uploads.finish(grant, id, sha256(`${id} goes on`), undefined)
    }
    expect(handles).toBe(0)
    expect((await metadata.statistics()).uploads).toBe(0)
  })

  describe('the sweep', () => {
    it('leaves a request alone that is quiet for a while', async () => {
      const id = await begin()
      const { body, say, end } = controlled()
      say('hello')
      const append = uploads.append(grant, id, body)
      await new Promise((resolve) => setTimeout(resolve, 20))
      now += 120_000
      await uploads.sweep()
      say(' world')
      end()
      expect(await append).toEqual({ id, size: 11 })
    })

    it('is not held up by a request that never ends', async () => {
      const [stuck, idle] = [await begin(), await begin()]
      const deaf: Body = {
        ...text('', { length: undefined }),
        chunks: async function* () {
          yield Buffer.from('x')
          await new Promise(() => {})
        },
      }
      void fault(uploads.append(grant, stuck, deaf))
      await new Promise((resolve) => setTimeout(resolve, 20))
      now += 700_000
      const late = new Promise((resolve) => setTimeout(() => resolve('still sweeping'), 4000))
      expect(await Promise.race([uploads.sweep(), late])).toBe(1)
      expect(await fault(uploads.status(grant, idle))).toBe('upload-unknown')
    })

    it('ends a request that had no byte for as long as an upload may live', async () => {
      const id = await begin()
      const { body, say } = controlled()
      say('hello')
      const append = fault(uploads.append(grant, id, body))
      await new Promise((resolve) => setTimeout(resolve, 20))
      now += 700_000
      await uploads.sweep()
      expect(await append).toContain('AbortError')
      expect(await uploads.sweep()).toBe(1)
      expect(await stored()).toEqual([])
    })

    it('does not forget an upload early that was receiving when the process died', async () => {
      const id = await begin()
      const { body, say } = controlled()
      void fault(uploads.append(grant, id, body))
      // A chunk of twenty minutes: only the process knows that bytes are coming.
      for (let minute = 0; minute < 20; minute++) {
        now += 60_000
        say(`${minute};`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const crashed = uploads
      use()
      now += 580_000
      expect(await uploads.sweep()).toBe(0)
      expect((await uploads.status(grant, id)).id).toBe(id)
      now += 120_000
      expect(await uploads.sweep()).toBe(1)
      await crashed[Symbol.asyncDispose]()
    })

    it('takes away bytes that no row points to, once nobody can be writing them', async () => {
      const orphan = randomUUID()
      await (await blobs.openUpload(orphan)).write([Buffer.from('lost')])
      const id = await begin()
      await uploads.append(grant, id, text('kept'))
      const { body, say } = controlled()
      say('whole')
      const whole = fault(uploads.receiveWhole(grant, sha256('whole'), body))
      await uploads.sweep()
      expect(await stored()).toContain(orphan)
      for (let turn = 0; turn < 160; turn++) {
        now += 600_000
        await uploads.append(grant, id, text(''))
        await uploads.sweep()
      }
      expect(await stored()).toEqual([id])
      say(new Error('end of the test'))
      expect(await whole).toContain('end of the test')
    })
  })
})
