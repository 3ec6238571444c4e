import { existsSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SettingKey } from './config/settings.ts'
import { askServer } from './admin/client.ts'
import type { serve } from './serve.ts'
import { accessEffects } from './testing/access-effects.ts'
import { digestOf, imageManifest, indexManifest, pushBlob, pushManifest } from './testing/push.ts'
import { connectTo } from './testing/raw-connection.ts'
import { selfSigned } from '@stowage/testkit'
import { serveForTest } from './testing/serve-for-test.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'
import { upkeepEffects } from './testing/upkeep-effects.ts'

/** Every setting there is, with a proof that it does something. The compiler asks for one when a setting is added. */
const effects: { readonly [K in SettingKey]: () => Promise<void> } = {
  ...accessEffects,
  ...upkeepEffects,

  address: async () => {
    await using started = await serveForTest({ address: '[::1]:0' })
    expect(started.serving.address).toMatchObject({ host: '::1' })
    expect((await fetch(`http://[::1]:${started.port}/v2/`)).status).toBe(200)
    await expect(fetch(`http://127.0.0.1:${started.port}/v2/`)).rejects.toThrow()
  },

  data: async () => {
    await using directory = await temporaryDirectory()
    const data = join(directory.path, 'deep/down')
    await using _ = await serveForTest({ data })
    expect(existsSync(join(data, 'registry.db'))).toBe(true)
  },

  publicUrl: async () => {
    await using started = await serveForTest({ publicUrl: 'https://registry.example/' })
    expect(started.serving.url).toBe('https://registry.example')
    const here = `http://127.0.0.1:${started.port}`
    const begun = await fetch(`${here}/v2/a/blobs/uploads/`, { method: 'POST' })
    expect(begun.headers.get('location')).toMatch(/^https:\/\/registry\.example\/v2\/a\/blobs\/uploads\//)
    const page = await fetch(here, { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('docker push registry.example/hello-world')
  },

  allowAnonymous: async () => {
    await expect(serveForTest({ address: '0.0.0.0:0' })).rejects.toThrow(/--allow-anonymous/)
    await using started = await serveForTest({ address: '0.0.0.0:0', allowAnonymous: true })
    expect((await fetch(`http://127.0.0.1:${started.port}/v2/`)).status).toBe(200)
    expect(started.log).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringMatching(/everyone/) as string }),
    )
  },

  'tls.cert': async () => testTls(),
  'tls.key': async () => testTls(),

  'uploads.expireAfter': async () => {
    const expired = async (expireAfter: string): Promise<number | undefined> => {
      await using started = await serveForTest({ uploads: { expireAfter } })
      await fetch(`${started.url}/v2/a/blobs/uploads/`, { method: 'POST' })
      await new Promise((resolve) => setTimeout(resolve, 1600))
      return (await askServer(started.data, 'sweep'))?.expiredUploads
    }
    expect(await expired('1h')).toBe(0)
    expect(await expired('1s')).toBe(1)
  },

  'uploads.chunkMinLength': async () => {
    await using started = await serveForTest({ uploads: { chunkMinLength: '5MiB' } })
    const begun = await fetch(`${started.url}/v2/a/blobs/uploads/`, { method: 'POST' })
    expect(begun.headers.get('oci-chunk-min-length')).toBe('5242880')
  },

  'uploads.maxBlobSize': async () => {
    await using started = await serveForTest({ uploads: { maxBlobSize: 5 } })
    expect((await pushBlob(started.url, 'a', 'hello')).status).toBe(201)
    const refused = await pushBlob(started.url, 'a', 'hello!')
    expect(refused.status).toBe(413)
  },

  'manifests.maxSize': async () => {
    await using started = await serveForTest({ manifests: { maxSize: 2000, allowMissingBlobs: true } })
    expect((await pushManifest(started.url, 'a', 'small', imageManifest('x'))).status).toBe(201)
    expect((await pushManifest(started.url, 'a', 'large', imageManifest('x', 2000))).status).toBe(413)
  },

  'manifests.allowMissingBlobs': async () => {
    await using strict = await serveForTest()
    expect((await pushManifest(strict.url, 'a', 'x', imageManifest('x'))).status).toBe(400)
    await using lenient = await serveForTest({ manifests: { allowMissingBlobs: true } })
    expect((await pushManifest(lenient.url, 'a', 'x', imageManifest('x'))).status).toBe(201)
  },

  'manifests.allowMissingManifests': async () => {
    await using lenient = await serveForTest()
    expect((await pushManifest(lenient.url, 'a', 'x', indexManifest('{}'))).status).toBe(201)
    await using strict = await serveForTest({ manifests: { allowMissingManifests: false } })
    expect((await pushManifest(strict.url, 'a', 'x', indexManifest('{}'))).status).toBe(400)
  },

  'cors.origins': async () => {
    const allowed = async (url: string): Promise<string | null> =>
      (await fetch(`${url}/v2/`, { headers: { origin: 'https://app.example' } })).headers.get(
        'access-control-allow-origin',
      )
    await using closed = await serveForTest()
    expect(await allowed(closed.url)).toBeNull()
    await using open = await serveForTest({ cors: { origins: ['https://app.example'] } })
    expect(await allowed(open.url)).toBe('https://app.example')
  },

  'log.level': async () => {
    const answered = async (level: 'debug' | 'info'): Promise<number> => {
      await using started = await serveForTest({ log: { level } })
      await fetch(`${started.url}/v2/`)
      return started.log.filter(({ message }) => message === 'answered').length
    }
    expect(await answered('info')).toBe(0)
    expect(await answered('debug')).toBe(1)
  },

  metrics: async () => {
    await using on = await serveForTest()
    expect((await fetch(`${on.url}/metrics`)).status).toBe(200)
    await using off = await serveForTest({ metrics: false })
    expect((await fetch(`${off.url}/metrics`)).status).toBe(404)
  },

  'limits.bodyIdle': async () => {
    await using started = await serveForTest({ limits: { bodyIdle: '200ms' } })
    using client = await connectTo(started.port)
    client.send(`${beginOfUpload}he`)
    await client.ended()
    expect(started.log).toContainEqual(ended('idle body'))
  },

  'limits.bodyMinRate': async () =>
    testRate({ bodyMinRate: '1KiB', bodyGrace: '200ms' }, { bodyMinRate: 0, bodyGrace: '200ms' }),
  'limits.bodyGrace': async () =>
    testRate({ bodyMinRate: '1KiB', bodyGrace: '200ms' }, { bodyMinRate: '1KiB', bodyGrace: '10m' }),

  'limits.readerIdle': async () => {
    await using started = await serveForTest({ limits: { readerIdle: '300ms' } })
    const blob = 'x'.repeat(32 * 1024 * 1024)
    await pushBlob(started.url, 'a', blob)
    using client = await connectTo(started.port)
    client.send(`GET /v2/a/blobs/${digestOf(blob)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await client.received('200')
    client.socket.pause()
    await expect.poll(() => started.log, { timeout: 10_000 }).toContainEqual(ended('stalled reader'))
  },

  'limits.keepAlive': async () => {
    await using started = await serveForTest({ limits: { keepAlive: '7s' } })
    expect((await fetch(`${started.url}/v2/`)).headers.get('keep-alive')).toBe('timeout=7')
  },

  'shutdown.drainDelay': async () => {
    await using started = await serveForTest({ shutdown: { drainDelay: '500ms' } })
    const closed = started.serving.close()
    expect((await fetch(`${started.url}/v2/`)).status).toBe(200)
    await closed
    await expect(fetch(`${started.url}/v2/`)).rejects.toThrow()
  },

  'shutdown.deadline': async () => {
    await using started = await serveForTest({ shutdown: { deadline: '100ms' } })
    using client = await connectTo(started.port)
    client.send(`${beginOfUpload}he`)
    await expect
      .poll(async () => (await fetch(`${started.url}/metrics`)).text())
      .toMatch(/^stowage_http_requests_in_flight 2$/m)
    await started.serving.close()
    expect(started.log).toContainEqual(expect.objectContaining({ message: 'requests were cut off' }))
  },
}

describe('every setting does something', () => {
  for (const [key, effect] of Object.entries(effects)) test(key, effect)
})

const beginOfUpload = `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n`

const ended = (reason: string): object => ({
  level: 'info',
  facts: { reason, remoteAddress: '127.0.0.1' },
  message: 'a connection was ended',
})

/** A byte now and then: the first limits end it, the second do not. */
const testRate = async (tight: Limits, loose: Limits): Promise<void> => {
  const drip = async (limits: Limits): Promise<string> => {
    await using started = await serveForTest({ limits })
    using client = await connectTo(started.port)
    client.send(beginOfUpload)
    for (const byte of 'hello') {
      await new Promise((resolve) => setTimeout(resolve, 150))
      client.send(byte)
    }
    return await Promise.race([client.ended(), client.received('201')])
  }
  expect(await drip(tight)).toBe('')
  expect(await drip(loose)).toMatch(/^HTTP\/1\.1 201/)
}

type Limits = NonNullable<NonNullable<Parameters<typeof serve>[0]>['limits']>

const testTls = async (): Promise<void> => {
  await using directory = await temporaryDirectory()
  const [cert, key] = [join(directory.path, 'cert.pem'), join(directory.path, 'key.pem')]
  const made = selfSigned()
  writeFileSync(cert, made.cert)
  writeFileSync(key, made.key)

  await using started = await serveForTest({
    address: 'localhost:0',
    tls: { cert, key },
    limits: { bodyIdle: '300ms' },
  })
  expect(started.url).toBe(`https://localhost:${started.port}`)
  const options = { ca: made.cert, agent: false }
  const [response] = (await once(get(`${started.url}/v2/`, options), 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  response.resume()

  // The limits hold for what is encrypted as well.
  const { connect } = await import('node:tls')
  const socket = connect({ port: started.port, host: '127.0.0.1', servername: 'localhost', ca: options.ca })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write(`${beginOfUpload}he`)
  socket.resume()
  await once(socket, 'close')
  expect(started.log).toContainEqual(ended('idle body'))
}
