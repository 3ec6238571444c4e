import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

test('ready when the check is, and many askers share one check', async () => {
  let checks = 0
  const health = createHealth({ check: async () => void checks++ }, logger)
  const pages = await Promise.all(Array.from({ length: 50 }, async () => health.ready()))
  expect(pages.map(({ status }) => status)).toEqual(Array(50).fill(200))
  expect(checks).toBe(1)
})

test('the reason is told without the details, which go to the log', async () => {
  const logged: unknown[] = []
  const failure = Object.assign(new Error('ENOSPC: /srv/secret/place'), { code: 'ENOSPC' })
  const health = createHealth(
    { check: async () => Promise.reject(failure) },
    { ...logger, error: (facts) => logged.push(facts) },
  )
  expect(await health.ready()).toMatchObject({
    status: 503,
    body: '{"status":"not ready","reason":"The storage is full."}\n',
  })
  expect(logged).toEqual([{ err: failure }])
})

test.each([
  ['STORAGE_FULL', 'The storage is full.'],
  ['EROFS', 'The storage cannot be written.'],
  ['UNAVAILABLE', 'pushes go on when a trial write succeeds'],
  ['WRITES_STOPPED', 'pushes need a restart'],
  ['EIO', 'the log says why'],
])('%s: the reason says what to expect', async (code, reason) => {
  const failure = Object.assign(new Error('at /srv/secret/place'), { code })
  const { status, body } = await createHealth({ check: async () => Promise.reject(failure) }, logger).ready()
  expect([status, body]).toEqual([503, expect.stringContaining(reason)])
  expect(body).not.toContain('secret')
})

test('a shutdown is not ready, at once, and alive', async () => {
  const health = createHealth({ check: async () => {} }, logger)
  await health.ready()
  health.shutDown()
  expect(await health.ready()).toMatchObject({ status: 503 })
  expect(health.alive()).toMatchObject({ status: 200 })
})
