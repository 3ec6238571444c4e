import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BlobStore, type BlobUpload, fileSystemBlobs, type MetadataStore, sqliteMetadata } from '@stowage/registry'
import { type Answer, doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const image = sample.image('faulty')
const other = sample.image('other')

/** Counts calls of the stores, and lets one of them fail. */
const createSaboteur = () => {
  let calls = 0
  let failAt = Infinity
  let failure: () => Error = () => new Error('sabotage')
  /** A call that fails before anything is done: then it is certain that nothing was. */
  const maybeFail = (): void => {
    calls += 1
    if (calls === failAt) throw failure()
  }
  const wrap = <T extends object>(
    target: T,
    spare: readonly string[],
    results: Record<string, (value: never) => unknown> = {},
  ): T =>
    new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name, object)
        if (typeof value !== 'function') return value
        if (typeof name !== 'string' || spare.includes(name)) return value.bind(object) as unknown
        return async (...args: unknown[]) => {
          maybeFail()
          const result: unknown = await (value as (...args: unknown[]) => unknown).apply(object, args)
          return results[name]?.(result as never) ?? result
        }
      },
    })
  return {
    metadata: (store: MetadataStore) => wrap(store, ['statistics']),
    blobs: (store: BlobStore) =>
      wrap(store, ['listUploads'], {
        openUpload: (upload: BlobUpload) => wrap(upload, ['state', 'read', 'close']),
      }),
    /** The call from now on that fails; afterwards all go through again. */
    arm: (at: number, how: () => Error) => {
      calls = 0
      failAt = at
      failure = how
    },
    disarm: () => {
      failAt = Infinity
      return calls
    },
  }
}

const kinds: [[string, () => Error, number], ...[string, () => Error, number][]] = [
  ['a disk that fails', () => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }), 503],
  ['a disk that is full', () => Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }), 507],
  ['a file system that became read-only', () => Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' }), 503],
  ['a process without memory', () => Object.assign(new Error('ENOMEM: not enough memory'), { code: 'ENOMEM' }), 503],
  ['a store that is overloaded', () => Object.assign(new Error('too much'), { code: 'OVERLOADED' }), 503],
  ['a database whose connection broke', () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 500],
]

describe.each(doors)('whatever fails in the stores, through $name', ({ open }) => {
  let directory: string
  let blobs: BlobStore
  let door: OpenDoor
  let saboteur: ReturnType<typeof createSaboteur>
  let now: number
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown): void => void unhandled.push(error)

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-faults-'))
    saboteur = createSaboteur()
    now = Date.now()
    blobs = await fileSystemBlobs({ root: directory })
    const metadata = await sqliteMetadata({ path: ':memory:' })
    door = await open({
      storage: { metadata: saboteur.metadata(metadata), blobs: saboteur.blobs(blobs) },
      now: () => now,
    })
    process.on('unhandledRejection', onUnhandled)
  })
  afterEach(async () => {
    saboteur.disarm()
    await door[Symbol.asyncDispose]()
    process.off('unhandledRejection', onUnhandled)
    await rm(directory, { recursive: true })
  })

  /** Everything a client does in a day. Goes on after a failure, as clients do. */
  const day = async (): Promise<Answer[]> => {
    const answers: Answer[] = []
    const send: OpenDoor['send'] = async (method, target, options) => {
      const answer = await door.send(method, target, options)
      answers.push(answer)
      return answer
    }
    const [config, layer] = [image.config, image.layer]
    const type = { 'content-type': image.mediaType }
    await send('HEAD', `/v2/a/blobs/${layer.digest}`)
    const started = await send('POST', '/v2/a/blobs/uploads/')
    const location = started.header('location') ?? '/v2/a/blobs/uploads/none'
    await send('PATCH', location, { body: layer.bytes.subarray(0, 5), headers: { 'content-range': '0-4' } })
    await send('PUT', `${location}?digest=${layer.digest}`, { body: layer.bytes.subarray(5) })
    await send('POST', `/v2/a/blobs/uploads/?digest=${config.digest}`, { body: config.bytes })
    await send('PUT', '/v2/a/manifests/v1', { body: image.manifest, headers: type })
    await send('PUT', `/v2/a/manifests/${image.digest}?tag=v2`, { body: image.manifest, headers: type })
    for (const path of ['manifests/v1', `blobs/${layer.digest}`, 'tags/list', `referrers/${image.digest}`]) {
      await send('GET', `/v2/a/${path}`)
    }
    await send('GET', '/v2/_catalog')
    await send('POST', `/v2/b/blobs/uploads/?mount=${layer.digest}&from=a`)
    const second = await send('POST', '/v2/b/blobs/uploads/')
    const cancelled = second.header('location') ?? '/v2/b/blobs/uploads/none'
    await send('PATCH', cancelled, { body: 'abc' })
    await send('GET', cancelled)
    await send('DELETE', cancelled)
    await send('POST', `/v2/b/blobs/uploads/?digest=${other.layer.digest}`, { body: 'not these bytes' })
    await send('DELETE', '/v2/a/manifests/v2')
    await send('DELETE', `/v2/a/manifests/${image.digest}`)
    for (const [name, digest] of [
      ['a', layer.digest],
      ['a', config.digest],
      ['b', layer.digest],
    ] as const) {
      await send('DELETE', `/v2/${name}/blobs/${digest}`)
    }
    return answers
  }

  const files = async (folder: string): Promise<string[]> =>
    (await readdir(join(directory, folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)

  it('gives one clear answer, leaves nothing half done, and is over afterwards', async () => {
    saboteur.arm(Infinity, () => new Error())
    const healthy = (await day()).map((answer) => answer.status)
    expect(healthy.filter((code) => code >= 500)).toEqual([])
    const calls = saboteur.disarm()
    expect(calls).toBeGreaterThan(30)

    for (let at = 1; at <= calls; at++) {
      const [what, how, status] = kinds[at % kinds.length] ?? kinds[0]
      const where = `${what}, call ${at}`
      saboteur.arm(at, how)
      const answers = await day()
      saboteur.disarm()
      for (const answer of answers) {
        if (answer.status < 400 || answer.bytes.byteLength === 0) continue
        if ([503, 507].includes(answer.status)) expect(answer.header('retry-after')).toMatch(/^\d+$/)
        expect(answer.json()).toMatchObject({ errors: [{ code: expect.stringMatching(/^[A-Z_]+$/) as string }] })
        expect(answer.text()).not.toMatch(/EIO|ENOSPC|EROFS|ENOMEM|ECONNRESET|too much/)
      }
      const failed = answers.map((answer) => answer.status).filter((code) => code >= 500)
      expect([where, failed.length <= 1, failed.every((code) => code === status)]).toEqual([where, true, true])

      // The next day everything works (what was not deleted is still there), and what is left of uploads goes.
      expect([where, ...(await day()).map((answer) => answer.status).slice(1)]).toEqual([where, ...healthy.slice(1)])
      now += 48 * 3_600_000
      await door.registry.sweep()
      await door.registry.sweep()
      const { uploads, blobs: rows, manifests } = await door.registry.status()
      expect([where, uploads, rows, manifests, await files('uploads')]).toEqual([where, 0, 0, 0, []])
    }
    // Only where it is unknown whether the row was written do bytes without a row stay.
    expect((await files('blobs')).length).toBeLessThanOrEqual(4)
    expect(unhandled).toEqual([])
  })
})
