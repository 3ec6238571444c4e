import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDigest } from '@stowage/oci'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../blob-store.ts'
import { fileSystemBlobs } from './file-system-blobs.ts'

// More than the buffers of two sockets take while nobody reads.
const size = 24 * 1024 * 1024 + 17
const bytes = randomBytes(size)
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const digest = parseDigest(`sha256:${sha256(bytes)}`)

/** Kept alive: an answer that is too short must not be taken for one that is still on its way. */
const agent = new Agent({ keepAlive: true })

describe('a blob that is sent straight into a response', () => {
  let root: string
  let store: BlobStore
  let server: Server
  let key: string
  let range: [number, number]

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'stowage-send-'))
    store = await fileSystemBlobs({ root })
    const upload = await store.openUpload('00000000-0000-4000-8000-000000000000')
    await upload.write([bytes])
    key = await upload.commit(digest)
    range = [0, size]
    server = createServer((_, res) => void answer(res))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await store[Symbol.asyncDispose]()
    await rm(root, { recursive: true, force: true })
  })

  const answer = async (res: ServerResponse): Promise<void> => {
    const content = await store.read(key, ...range)
    if (content === undefined || content instanceof Uint8Array || content.sendTo === undefined) {
      res.writeHead(500).end('there is no stream that sends itself')
      return
    }
    res.writeHead(200, { 'content-length': range[1] - range[0] })
    content.sendTo(res)
  }
  const ask = async (): Promise<IncomingMessage> => {
    const request = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return response
  }
  const all = async (response: IncomingMessage): Promise<Buffer> => {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }
  const openFilesBelow = async (): Promise<number> => {
    const { readlink } = await import('node:fs/promises')
    const targets = await Promise.all(
      (await readdir('/proc/self/fd')).map(async (fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    )
    return targets.filter((target) => target.includes(key)).length
  }

  it.each([
    ['all of it', 0, size],
    ['from the middle', 1_000_003, size],
    ['one buffer and a byte', 5, 5 + 256 * 1024 + 1],
    ['two buffers exactly', 0, 512 * 1024],
  ])('is right to the byte: %s', async (_, start, end) => {
    range = [start, end]
    expect(sha256(await all(await ask()))).toBe(sha256(bytes.subarray(start, end)))
  })

  it('is right for a reader who takes his time, and for many at once', async () => {
    const slow = async (): Promise<string> => {
      const response = await ask()
      await sleep(500)
      return sha256(await all(response))
    }
    const quick = async (): Promise<string> => sha256(await all(await ask()))
    const sums = await Promise.all([slow(), quick(), slow(), quick()])
    expect(new Set(sums)).toEqual(new Set([sha256(bytes)]))
  })

  it('looks cut when bytes are missing', async () => {
    const response = await ask()
    response.pause()
    await truncate(join(root, 'blobs', key), 1_000_000)
    await expect(all(response)).rejects.toThrow('aborted')
  })

  it('lets the file go when the reader goes away', async () => {
    const response = await ask()
    await once(response, 'readable')
    response.destroy()
    await expect
      .poll(async () => {
        await store.delete(key)
        return openFilesBelow()
      })
      .toBe(0)
  })

  it('ends when the store is closed', async () => {
    const response = await ask()
    await once(response, 'readable')
    await store[Symbol.asyncDispose]()
    await expect(all(response)).rejects.toThrow('aborted')
  })
})
