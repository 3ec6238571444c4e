/**
 * Runs the registry and the client on Bun: `npm run build && node test/runtimes/bun.ts`
 *
 * Installs Bun and starts two examples with it on what was built: the one for Bun's own server, and the one for Node's, which
 * Bun has too. Each gets real requests and real clients: the list that every example must pass, a blob larger than what Bun
 * takes by itself, clients that go away, a second process on the same directory, a restart, and clients of `test/clients`. Then
 * our own client runs on Bun, against registries on Node.
 * Prints a line a check and last `N passed, N failed`; the exit code is 0 only when nothing failed.
 */
import { equal, match, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../clients/command.ts'
import { generatedBytes, sha256 } from '../clients/generated-data.ts'
import { createContext, createReport, StepFailed } from '../clients/harness.ts'
import { seedTutorial } from '../clients/seed-tutorial.ts'
import { skopeo } from '../clients/skopeo.ts'
import { testClientOnBun } from './bun-client.ts'
import { bunVersion, installBun } from './bun-program.ts'
import { startExample } from './example-server.ts'
import { exercise } from './exercise.ts'
import { send } from './http-client.ts'

const mebibyte = 2 ** 20
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)))
}
const { signal } = stop
const report = createReport()
/** Pushed before the restart, looked for after it. */
const remembered = generatedBytes(mebibyte, 'remembered')
const log = (line: string) => console.log(`        ${line}`)

async function check(name: string, body: () => Promise<void>): Promise<void> {
  signal.throwIfAborted()
  const started = performance.now()
  try {
    await body()
    report.ok(name, performance.now() - started)
  } catch (error) {
    signal.throwIfAborted()
    report.fail(name, error)
  }
}

/**
 * The two servers. Bun's own takes the length off whatever is streamed (its issue 10507): pulls work, but a client that
 * insists on `Content-Length`, as the one of the tutorial does, needs the other.
 */
const servers = [
  { example: 'bun', sendsLengths: false, clients: [skopeo] },
  { example: 'node', sendsLengths: true, clients: [seedTutorial, skopeo] },
] as const

const directory = await mkdtemp(join(tmpdir(), 'stowage-bun-'))
try {
  const bun = await installBun(signal, log)
  await check(`bun is ${bunVersion}`, async () => {
    equal((await run(bun, ['--version'], { signal })).stdout.trim(), bunVersion)
  })
  for (const server of servers) {
    const home = join(directory, server.example)
    await mkdir(home)
    await testServer(bun, server, home)
  }
  const home = join(directory, 'client')
  await mkdir(home)
  await testClientOnBun(bun, home, report, signal)
} catch (error) {
  report.fail('bun', error)
} finally {
  await rm(directory, { recursive: true, force: true })
}
console.log(`\n${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed === 0 ? 0 : 1

async function testServer(bun: string, server: (typeof servers)[number], home: string): Promise<void> {
  const { example, sendsLengths } = server
  const named = async (name: string, body: () => Promise<void>) => check(`examples/${example} on bun: ${name}`, body)
  await serving(bun, example, home, async (url) => {
    await exercise(url, named, { sendsLengths })
    await named('takes and gives a blob of 256 MiB, larger than what Bun takes by itself', () => largeBlob(url))
    await named('goes on where the bytes of an upload end whose client went away', () => brokenUpload(url))
    await named('lives through clients that leave in the middle of a download', () => brokenDownloads(url))
    await named('refuses a manifest that is too large', () => largeManifest(url))
    await named('refuses a second process on its directory', () => secondProcess(bun, example, home))
    for (const client of server.clients) {
      const name = `${client.name}-bun-${example}`
      const workDir = join(home, client.name)
      await mkdir(workDir)
      const options = { client: name, url, workDir, largeLayerBytes: 64 * mebibyte, signal, report, log }
      await client.run(createContext({ ...options, mode: 'relative' })).catch((error: unknown) => {
        if (!(error instanceof StepFailed)) report.fail(name, error)
      })
    }
  })
  await serving(bun, example, home, async (url) => {
    await named('has after a restart what was pushed before', async () => {
      const answer = await send(url, 'GET', `/v2/bun/blobs/${sha256(remembered)}`)
      equal(answer.status, 200)
      ok(answer.body.equals(remembered))
    })
  })
}

/** Starts the example, and reports whether it lived to the end and ended well. */
async function serving(bun: string, example: string, home: string, use: (url: string) => Promise<void>): Promise<void> {
  const server = await startExample(example, [bun], home, signal)
  let alive = false
  try {
    await use(server.url)
    alive = (await send(server.url, 'GET', '/v2/').catch(() => undefined))?.status === 200
  } finally {
    const code = await server.stop()
    const output = await server.output()
    await check(`examples/${example} on bun: answered to the end and ended with code 0 on SIGTERM`, async () => {
      ok(alive, output)
      equal(code, 0, output)
      // It prints its address; everything else would be a warning of Bun or the trace of an error.
      equal(output, `${server.url}\n`)
    })
  }
}

async function secondProcess(bun: string, example: string, home: string): Promise<void> {
  const outcome = await startExample(example, [bun], home, signal).then(
    async (server) => `It serves too: ${await server.stop()}`,
    (error: unknown) => String(error),
  )
  match(outcome, /DirectoryLockedError: .* is in use by the process/)
}

async function begin(url: string): Promise<string> {
  const answer = await send(url, 'POST', '/v2/bun/blobs/uploads/', { headers: { 'content-length': '0' } })
  equal(answer.status, 202, String(answer.body))
  return answer.headers.location ?? ''
}

async function largeBlob(url: string): Promise<void> {
  const piece = generatedBytes(mebibyte, 'large')
  const pieces = Array.from({ length: 256 }, () => piece)
  const hash = createHash('sha256')
  for (const each of pieces) hash.update(each)
  const digest = `sha256:${hash.digest('hex')}`
  const location = await begin(url)
  equal((await send(url, 'PATCH', location, { body: pieces })).status, 202)
  equal((await send(url, 'PUT', `${location}?digest=${digest}`)).status, 201)
  equal(sha256((await send(url, 'GET', `/v2/bun/blobs/${digest}`)).body), digest)
  const length = String(256 * mebibyte)
  const headers = { 'content-length': length }
  const whole = await send(url, 'POST', `/v2/bun/blobs/uploads/?digest=${digest}`, { headers, body: pieces })
  equal(whole.status, 201, String(whole.body))
}

async function brokenUpload(url: string): Promise<void> {
  const bytes = remembered
  const digest = sha256(bytes)
  const location = await begin(url)
  const { hostname, port } = new URL(url)
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname).on('error', reject).on('close', resolve)
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: registry.test\r\nContent-Length: ${mebibyte}\r\n\r\n`)
    socket.write(bytes.subarray(0, 300_000), () => socket.destroy())
  })
  // What has arrived grows until the end of the connection is seen: a chunk at an older offset is told the newer one.
  let status = await send(url, 'GET', location)
  for (;;) {
    const from = Number(/^0-(\d+)$/.exec(status.headers['range'] ?? '')?.[1]) + 1
    const start = from === 1 ? 0 : from
    ok(start <= 300_000, `the upload has ${start} bytes`)
    const headers = { 'content-range': `${start}-${mebibyte - 1}` }
    const body = bytes.subarray(start)
    status = await send(url, 'PUT', `${location}?digest=${digest}`, { headers, body })
    if (status.status === 201) break
    equal(status.status, 416, String(status.body))
  }
  ok((await send(url, 'GET', `/v2/bun/blobs/${digest}`)).body.equals(bytes))
}

async function brokenDownloads(url: string): Promise<void> {
  const bytes = generatedBytes(32 * mebibyte, 'download')
  const digest = sha256(bytes)
  equal((await send(url, 'POST', `/v2/bun/blobs/uploads/?digest=${digest}`, { body: bytes })).status, 201)
  for (let round = 0; round < 20; round++) {
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(`${url}/v2/bun/blobs/${digest}`, { agent: false }, (incoming) => {
        incoming.once('data', () => incoming.destroy())
        incoming.on('error', () => {})
        incoming.on('close', resolve)
      })
      outgoing.on('error', reject).end()
    })
  }
  ok((await send(url, 'GET', `/v2/bun/blobs/${digest}`)).body.equals(bytes))
}

/**
 * Bun ends a connection as soon as an early answer is out, in both servers: a client that is still writing may see that and
 * not the answer. What it must not see is the manifest.
 */
async function largeManifest(url: string): Promise<void> {
  const body = new Uint8Array(16 * mebibyte)
  const answer = await send(url, 'PUT', '/v2/bun/manifests/latest', { body }).catch(() => undefined)
  if (answer !== undefined) equal(answer.status, 413)
  equal((await send(url, 'GET', '/v2/bun/manifests/latest')).status, 404)
  const headers = { 'content-length': String(body.byteLength), expect: '100-continue' }
  // Announced and not yet sent, it is refused with an answer that can be read.
  equal((await send(url, 'PUT', '/v2/bun/manifests/latest', { headers })).status, 413)
}
