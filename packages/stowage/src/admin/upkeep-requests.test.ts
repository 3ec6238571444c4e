import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseDigest } from '@stowage/oci'
import { createRegistry, type Upkeep } from '@stowage/registry'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { askUpkeepServer } from './client.ts'
import { openAdminSocket } from './server.ts'
import { upkeepGroup } from './upkeep-operations.ts'

const operations = {
  status: async () => Promise.reject(new Error('not asked here')),
  sweep: async () => Promise.reject(new Error('not asked here')),
}

const open = async (change: Partial<Upkeep> = {}) => {
  const directory = await temporaryDirectory()
  const registry = await createRegistry({ storage: ':memory:' })
  const lines: unknown[] = []
  const write = (...line: unknown[]): void => void lines.push(line)
  const logger = { debug: write, info: write, warn: write, error: write }
  const upkeep = { ...registry.upkeep, ...change }
  const group = upkeepGroup({ registry: { ...registry, upkeep }, exclusive: false })
  const admin = await openAdminSocket(directory.path, operations, [group], logger)
  onTestFinished(async () => {
    await admin[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  const send = (operation: string, body: string): ClientRequest =>
    request({
      socketPath: join(directory.path, 'admin.sock'),
      method: 'POST',
      path: `/v1/upkeep/${operation}`,
      headers: { 'content-type': 'application/json' },
      agent: false,
    }).end(body)
  const post = async (operation: string, body: string): Promise<{ status: number | undefined; body: unknown }> => {
    const [response] = (await once(send(operation, body), 'response')) as [IncomingMessage]
    return { status: response.statusCode, body: JSON.parse(await text(response)) }
  }
  return { data: directory.path, admin, lines, send, post }
}

const report = {
  dryRun: false,
  links: 2,
  blobs: 1,
  bytes: 5,
  orphans: 0,
  orphanBytes: 0,
  sample: [],
  incomplete: false,
} as const

test('each operation does what it is called', async () => {
  const { post, data } = await open()
  expect(await post('garbage', '{"dryRun":true,"grace":0,"trustClock":true}')).toMatchObject({
    status: 200,
    body: { dryRun: true, blobs: 0, incomplete: false },
  })
  expect(await post('retention', '{"dryRun":true}')).toMatchObject({ status: 200, body: { dryRun: true, tags: 0 } })
  expect(await post('removed-tags', '{"repository":"a","limit":1}')).toEqual({ status: 200, body: { tags: [] } })
  expect(await post('scrub', '{"rate":0,"fromStart":true}')).toMatchObject({ status: 200, body: { corrupt: [] } })
  expect(await askUpkeepServer(data, 'scrub', {})).toMatchObject({ value: { blobs: 0 } })
})

test('what cannot be done says why', async () => {
  const { post, data } = await open()
  expect(await post('restore', '{"id":7}')).toEqual({
    status: 404,
    body: { error: { code: 'unknown', message: 'There is no removed tag with the id 7.', field: 'id' } },
  })
  expect(await askUpkeepServer(data, 'backup', { target: 'relative' })).toEqual({
    error: { code: 'invalid', message: 'target: it must be an absolute path', field: 'target' },
  })
})

test.each([
  ['garbage', '{"graceful":1}', 'graceful'],
  ['garbage', '{"exclusive":true}', 'exclusive'],
  ['garbage', '{"signal":{}}', 'signal'],
  ['garbage', '{"grace":"1h"}', 'grace'],
  ['garbage', '{"grace":-1}', 'grace'],
  ['garbage', '{"grace":1e300}', 'grace'],
  ['garbage', '{"dryRun":"false"}', 'dryRun'],
  ['garbage', '{"trustClock":null}', 'trustClock'],
  ['retention', '{"rules":[]}', 'rules'],
  ['retention', '{"dryRun":0}', 'dryRun'],
  ['removed-tags', '{"limit":0}', 'limit'],
  ['removed-tags', '{"limit":1001}', 'limit'],
  ['removed-tags', '{"last":-1}', 'last'],
  ['removed-tags', '{"last":1.5}', 'last'],
  ['restore', '{}', 'id'],
  ['restore', '{"id":1,"as":"no tag"}', 'as'],
  ['restore', '{"id":1,"as":"../x"}', 'as'],
  ['restore', '{"id":9007199254740993}', 'id'],
  ['restore', '{"id":1,"repository":"a"}', 'repository'],
  ['scrub', '{"rate":-1}', 'rate'],
  ['scrub', '{"rate":0.5}', 'rate'],
  ['backup', '{}', 'target'],
  ['backup', '{"target":["/tmp"]}', 'target'],
  ['backup', '{"target":"x"}', 'target'],
  ['backup', '{"target":""}', 'target'],
  ['backup', '{"target":"/tmp/x","overwrite":true}', 'overwrite'],
  ['backup', '{"__proto__":{"target":"/tmp/x"}}', 'target'],
])('%s refuses %s', async (operation, body, field) => {
  const unreachable = async (): Promise<never> => Promise.reject(new Error('it was done'))
  const { post, lines } = await open({ collectGarbage: unreachable, applyRetention: unreachable, scrub: unreachable })
  expect(await post(operation, body)).toMatchObject({ status: 400, body: { error: { code: 'invalid', field } } })
  expect(lines).toEqual([])
})

test('what there is not, and what is no JSON, is refused', async () => {
  const { post } = await open()
  expect(await post('gc', '{}')).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
  expect(await post('constructor', '{}')).toMatchObject({ status: 404 })
  for (const body of ['', '{', '[]', 'null', '"x"', '7'])
    expect(await post('garbage', body)).toMatchObject({ status: 400 })
  expect(await post('backup', JSON.stringify({ target: 'x'.repeat(70_000) }))).toMatchObject({ status: 413 })
})

test('each change is one line of the log, and a look is none', async () => {
  const { post, lines } = await open({
    collectGarbage: async ({ dryRun = false } = {}) => ({ ...report, dryRun }),
    applyRetention: async ({ dryRun = false } = {}) => ({
      dryRun,
      tags: 1,
      manifests: 0,
      forgotten: 0,
      sample: [],
      incomplete: false,
      withheld: { reason: 'clock', message: 'The clock jumped.' },
    }),
    restoreTag: async () => ({
      outcome: 'restored',
      repository: 'a',
      tag: 'v1',
      digest: parseDigest(`sha256:${'0'.repeat(64)}`),
    }),
  })
  const line = async (operation: string, body: string): Promise<unknown> => {
    lines.length = 0
    expect(await post(operation, body)).toMatchObject({ status: 200 })
    expect(lines.length).toBeLessThan(2)
    return lines[0]
  }
  expect(await line('garbage', '{"dryRun":true}')).toBeUndefined()
  expect(await line('retention', '{"dryRun":true}')).toBeUndefined()
  expect(await line('removed-tags', '{}')).toBeUndefined()
  const facts = { links: 2, blobs: 1, bytes: 5, orphans: 0, orphanBytes: 0, incomplete: false }
  expect(await line('garbage', '{}')).toEqual([{ operation: 'garbage', ...facts }, 'administration'])
  expect(await line('retention', '{}')).toEqual([
    { operation: 'retention', tags: 1, manifests: 0, forgotten: 0, incomplete: false, withheld: 'clock' },
    'administration',
  ])
  expect(await line('restore', '{"id":3}')).toMatchObject([
    { operation: 'restore', id: 3, tag: 'v1' },
    'administration',
  ])
  expect(await line('scrub', '{}')).toMatchObject([{ operation: 'scrub', corrupt: 0 }, 'administration'])
})

/** A run of hours: it ends when it is told to. */
const endless = () => {
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<unknown>()
  const collectGarbage: Upkeep['collectGarbage'] = async ({ signal } = {}) => {
    begun.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    signal?.addEventListener('abort', () => resolve())
    await promise
    ended.resolve(signal?.reason)
    return { ...report, incomplete: true }
  }
  return { begun: begun.promise, ended: ended.promise, collectGarbage }
}

test('a client that goes away ends its run', async () => {
  const { begun, ended, collectGarbage } = endless()
  const { send, lines } = await open({ collectGarbage })
  const asked = send('garbage', '{}').on('error', () => {})
  await begun
  asked.destroy()
  expect(await ended).toMatchObject({ message: 'The client went away.' })
  // What was done until then is not kept secret.
  await expect.poll(() => lines).toMatchObject([[{ operation: 'garbage', incomplete: true }, 'administration']])
})

test('so does the signal of a command', async () => {
  const { begun, ended, collectGarbage } = endless()
  const { data } = await open({ collectGarbage })
  const abort = new AbortController()
  const asked = askUpkeepServer(data, 'garbage', {}, abort.signal)
  await begun
  abort.abort(new Error('Ctrl-C'))
  await expect(asked).rejects.toThrow('Ctrl-C')
  await ended
})

test('a server that stops ends what is under way, and answers', async () => {
  const { begun, collectGarbage } = endless()
  const { data, admin } = await open({ collectGarbage })
  const asked = askUpkeepServer(data, 'garbage', {})
  await begun
  await admin[Symbol.asyncDispose]()
  expect(await asked).toMatchObject({ value: { incomplete: true } })
  expect(existsSync(join(data, 'admin.sock'))).toBe(false)
})
