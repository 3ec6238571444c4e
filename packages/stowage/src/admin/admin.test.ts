import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import type { AdminOperations, ServerStatus } from './api.ts'
import { askServer } from './client.ts'
import { openAdminSocket } from './server.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const status = { version: '1', ready: true } as ServerStatus
const operations: AdminOperations = {
  status: async () => status,
  sweep: async () => ({ expiredUploads: 1, deletedBlobs: 2 }),
}

const ask = async (
  socketPath: string,
  method: string,
  path: string,
): Promise<{ status: number | undefined; body: unknown }> => {
  const asked = request({ socketPath, method, path }).end()
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
  return { status: response.statusCode, body: JSON.parse(await text(response)) }
}

test('the owner can ask', async () => {
  await using directory = await temporaryDirectory()
  await using _ = await openAdminSocket(directory.path, operations, [], logger)
  expect(await askServer(directory.path, 'status')).toEqual(status)
  expect(await askServer(directory.path, 'sweep')).toEqual({ expiredUploads: 1, deletedBlobs: 2 })
})

test('a sweep is said in the log, and a look is not', async () => {
  await using directory = await temporaryDirectory()
  const lines: unknown[] = []
  const info = (facts: object, message: string): void => void lines.push([facts, message])
  await using _ = await openAdminSocket(directory.path, operations, [], { ...logger, info })
  await askServer(directory.path, 'status')
  await askServer(directory.path, 'sweep')
  expect(lines).toEqual([[{ operation: 'sweep', expiredUploads: 1, deletedBlobs: 2 }, 'administration']])
})

test('nobody else can: mode 0600', async () => {
  await using directory = await temporaryDirectory()
  const before = process.umask()
  await using _ = await openAdminSocket(directory.path, operations, [], logger)
  expect(lstatSync(join(directory.path, 'admin.sock')).mode & 0o777).toBe(0o600)
  expect(process.umask()).toBe(before)
})

test('what is not there is said in JSON', async () => {
  await using directory = await temporaryDirectory()
  await using _ = await openAdminSocket(directory.path, operations, [], logger)
  const socket = join(directory.path, 'admin.sock')
  expect(await ask(socket, 'GET', '/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
  expect(await ask(socket, 'GET', '/v1/sweep')).toMatchObject({
    status: 405,
    body: { error: { code: 'method-not-allowed' } },
  })
  expect(await ask(socket, 'GET', '/v1/status?x=1')).toMatchObject({ status: 200 })
})

test('an operation that fails is an error, here and there', async () => {
  await using directory = await temporaryDirectory()
  const failing = { ...operations, sweep: async () => Promise.reject(new Error('the disk is full')) }
  await using _ = await openAdminSocket(directory.path, failing, [], logger)
  await expect(askServer(directory.path, 'sweep')).rejects.toThrow('The server could not do it: the disk is full')
})

test('without a server there is no answer', async () => {
  await using directory = await temporaryDirectory()
  expect(await askServer(directory.path, 'status')).toBeUndefined()
  const admin = await openAdminSocket(directory.path, operations, [], logger)
  await admin[Symbol.asyncDispose]()
  expect(await askServer(directory.path, 'status')).toBeUndefined()
})

test('a socket that a killed process left is no server, and is replaced', async () => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'admin.sock')
  const child = createServer()
  child.listen(path)
  await once(child, 'listening')
  // Moved away and back, so that closing does not find it: the file stays and nobody listens.
  const { renameSync } = await import('node:fs')
  renameSync(path, `${path}.kept`)
  child.close()
  await once(child, 'close')
  renameSync(`${path}.kept`, path)
  expect(await askServer(directory.path, 'status')).toBeUndefined()
  await using _ = await openAdminSocket(directory.path, operations, [], logger)
  expect(await askServer(directory.path, 'status')).toEqual(status)
})

test('something else of that name is left alone', async () => {
  await using directory = await temporaryDirectory()
  writeFileSync(join(directory.path, 'admin.sock'), 'mine')
  await expect(openAdminSocket(directory.path, operations, [], logger)).rejects.toThrow(/is in the way/)
})

test.runIf(process.platform === 'linux')('a path longer than the kernel has room for works too', async () => {
  await using directory = await temporaryDirectory()
  const deep = join(directory.path, 'x'.repeat(100), 'y'.repeat(100))
  mkdirSync(deep, { recursive: true })
  const admin = await openAdminSocket(deep, operations, [], logger)
  expect(await askServer(deep, 'status')).toEqual(status)
  await admin[Symbol.asyncDispose]()
  expect(lstatSync(join(deep, 'admin.sock'), { throwIfNoEntry: false })).toBeUndefined()
})
