import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serve } from './serve.ts'
import { digestOf, pushBlob } from './testing/push.ts'
import { connectTo } from './testing/raw-connection.ts'
import { serveForTest } from './testing/serve-for-test.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

test('serves a registry', async () => {
  await using started = await serveForTest()
  const ping = await fetch(`${started.url}/v2/`)
  expect(await ping.text()).toBe('{"success":true}')
  expect((await pushBlob(started.url, 'a/b', 'hello')).status).toBe(201)
  expect(await (await fetch(`${started.url}/v2/a/b/blobs/${digestOf('hello')}`)).text()).toBe('hello')
})

test('everything else outside /v2/ is a 404 in JSON', async () => {
  await using started = await serveForTest()
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/favicon.ico'],
    ['POST', '/healthz'],
    ['GET', '/v1/status'],
  ] as const) {
    const response = await fetch(`${started.url}${path}`, { method })
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json'])
    expect(await response.json()).toHaveProperty('errors')
  }
})

test('a browser gets a page, with the name it called us by or none', async () => {
  await using started = await serveForTest()
  const page = async (host: string): Promise<string> => {
    using client = await connectTo(started.port)
    client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html,*/*\r\nConnection: close\r\n\r\n`)
    return await client.ended()
  }
  expect(await page('registry.test:5000')).toMatch(/^HTTP\/1\.1 200[^]*docker push registry\.test:5000\/hello-world/)
  const forged = await page('"><script>alert(1)</script>')
  expect(forged).toContain(`docker push 127.0.0.1:${started.port}/hello-world`)
  expect(forged).not.toContain('script>')
})

test('HEAD of a page has its head alone', async () => {
  await using started = await serveForTest()
  const response = await fetch(`${started.url}/healthz`, { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
  expect(await response.text()).toBe('')
})

test('a request in absolute form, as proxies send it, is understood', async () => {
  await using started = await serveForTest()
  using client = await connectTo(started.port)
  client.send('GET http://elsewhere.example/v2/ HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n')
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 200[^]*\{"success":true\}$/)
  using other = await connectTo(started.port)
  other.send('GET http://elsewhere.example/healthz?x HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n')
  expect(await other.ended()).toMatch(/^HTTP\/1\.1 200[^]*\{"status":"alive"\}\n$/)
})

test('metrics have templates and numbers, and never a name', async () => {
  await using started = await serveForTest()
  await pushBlob(started.url, 'secret-project/app', 'hello')
  await fetch(`${started.url}/v2/secret-project/app/tags/list`)
  await fetch(`${started.url}/secret-path`)
  const response = await fetch(`${started.url}/metrics`)
  const text = await response.text()
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(text).toContain('stowage_http_requests_total{method="POST",route="/v2/<name>/blobs/uploads/",status="201"} 1')
  expect(text).toContain('stowage_http_requests_total{method="GET",route="none",status="404"} 1')
  expect(text).toMatch(/^stowage_blobs 1$/m)
  expect(text).toMatch(/^stowage_blob_bytes 5$/m)
  expect(text).toMatch(/^stowage_http_requests_in_flight 1$/m)
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
  expect(text).not.toContain('secret')
})

test('Expect: 100-continue reaches the registry', async () => {
  await using started = await serveForTest()
  using client = await connectTo(started.port)
  client.send(
    `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  )
  await client.received('HTTP/1.1 100 Continue')
  client.send('hello')
  await client.received('HTTP/1.1 201')
})

test('a refused body is not asked for', async () => {
  await using started = await serveForTest({ uploads: { maxBlobSize: 4 } })
  using client = await connectTo(started.port)
  client.send(
    `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  )
  expect(await client.received('}')).toMatch(/^HTTP\/1\.1 4\d\d/)
})

test('a head larger than 16 KiB is refused', async () => {
  await using started = await serveForTest()
  using client = await connectTo(started.port)
  client.send(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`)
  expect(await client.ended()).toMatch(/^HTTP\/1\.1 431/)
})

test('a second server on the directory is refused, and the first goes on', async () => {
  await using started = await serveForTest()
  await expect(serve({ address: '127.0.0.1:0', data: started.data })).rejects.toMatchObject({
    failure: 'locked',
    message: expect.stringContaining(`process with the id ${process.pid}`) as string,
  })
  expect((await fetch(`${started.url}/v2/`)).status).toBe(200)
})

test('a port that is taken leaves the directory free', async () => {
  await using started = await serveForTest()
  await using directory = await temporaryDirectory()
  const taken = serve({ address: `127.0.0.1:${started.port}`, data: directory.path })
  await expect(taken).rejects.toMatchObject({
    failure: 'unavailable',
    message: expect.stringContaining(`Another program listens on 127.0.0.1:${started.port} already.`) as string,
  })
  await using again = await serve({ address: '127.0.0.1:0', data: directory.path, log: { level: 'silent' } })
  expect((await fetch(`${again.url}/v2/`)).status).toBe(200)
})

test('a directory that holds something else is an error with a reason', async () => {
  await using directory = await temporaryDirectory()
  writeFileSync(join(directory.path, 'registry.db'), 'this is not a database, whatever its name says'.repeat(100))
  await expect(serve({ address: '127.0.0.1:0', data: directory.path })).rejects.toMatchObject({
    failure: 'data',
    message: expect.stringMatching(/cannot be used: .*not a database/) as string,
  })
})

test('a request under way finishes, and so does its connection', async () => {
  await using started = await serveForTest()
  using upload = await connectTo(started.port)
  upload.send(
    `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe`,
  )
  await expect
    .poll(async () => (await fetch(`${started.url}/metrics`)).text())
    .toMatch(/^stowage_http_requests_in_flight 2$/m)
  using unused = await connectTo(started.port)
  const closed = started.serving.close()
  await unused.ended()
  await expect(connectTo(started.port)).rejects.toThrow('ECONNREFUSED')
  upload.send('llo')
  expect(await upload.ended()).toMatch(/^HTTP\/1\.1 201/)
  await closed
  expect(started.log.map(({ message }) => message)).not.toContain('requests were cut off')
})

test('what does not finish by the deadline is cut', async () => {
  await using started = await serveForTest({ shutdown: { deadline: '300ms' } })
  using upload = await connectTo(started.port)
  upload.send(
    `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe`,
  )
  await expect
    .poll(async () => (await fetch(`${started.url}/metrics`)).text())
    .toMatch(/^stowage_http_requests_in_flight 2$/m)
  await started.serving.close()
  await upload.ended()
  expect(started.log).toContainEqual({ level: 'warn', facts: { requests: 1 }, message: 'requests were cut off' })
})

test('while draining it is not ready, and serves', async () => {
  await using started = await serveForTest({ shutdown: { drainDelay: '30s' } })
  expect((await fetch(`${started.url}/readyz`)).status).toBe(200)
  const abort = new AbortController()
  const closed = started.serving.close(abort.signal)
  const ready = await fetch(`${started.url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', reason: 'The server is shutting down.' },
  ])
  expect((await fetch(`${started.url}/healthz`)).status).toBe(200)
  expect((await pushBlob(started.url, 'a', 'hello')).status).toBe(201)
  abort.abort()
  await closed
})
