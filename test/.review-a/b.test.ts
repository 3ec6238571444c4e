import { test } from 'vitest'
import { createTestRegistry, startMisbehavingRegistry, flipByte, errorReply, jsonReply, reply, withoutLength, lengthenBody } from '@stowage/testkit'
import { createClient } from '../../packages/client/src/client.ts'
import { createClient as createNodeClient } from '../../packages/client/src/node/create-client.ts'
import { collect } from '../../packages/client/src/content/pages.ts'
import { bytesContent } from '../../packages/client/src/content/content.ts'
import { readAll } from '../../packages/client/src/content/verify.ts'
import { startRig, blobOf } from '../../packages/client/src/testing/misbehaving.ts'
import { sampleImage, sampleIndex, putSample, sample } from '../../packages/client/src/testing/sample-images.ts'
import { createMemoryTarget } from '../../packages/client/src/memory/memory-target.ts'
import { copy } from '../../packages/client/src/copy/copy.ts'
import { createTargetKnowledge } from '../../packages/client/src/copy/knowledge.ts'
const show = (e: unknown) => { const x = e as any; return `${x?.name}/${x?.code}/${x?.status}: ${x?.message}` }
const attempt = async (n: string, w: () => Promise<unknown>) => { try { console.log(n, '->', await w()) } catch (e) { console.log(n, 'THROWS', show(e)) } }

import { createServer as https } from 'node:https'
import { createServer as http } from 'node:http'
import { selfSigned } from '@stowage/testkit'
import { isSameSite } from '../../packages/client/src/transport/origin.ts'
import { NewClient, WithTimeouts, WithTokenServers, WithUsernamePassword } from '../../packages/client/src/reggie/index.ts'
const listen = async (s: any) => { await new Promise<void>((r) => s.listen(0, '127.0.0.1', r)); return s.address().port as number }

test('6 star tls for listed', async () => {
  const pair: any = await (selfSigned as any)()
  const s = https({ key: pair.key, cert: pair.cert }, (q, a) => a.writeHead(200).end('{}'))
  const port = await listen(s)
  const c = createNodeClient({ credentials: () => undefined, proxy: false, hosts: { '*': { tls: { insecure: true } }, [`127.0.0.1:${port}`]: { retry: { attempts: 1 } } } })
  await attempt('6 listed, no tls of its own', async () => c.registry(`127.0.0.1:${port}`).ping().then(() => 'ACCEPTED'))
  await c[Symbol.asyncDispose]()
  s.closeAllConnections(); s.close()
})
test('7 mount with per repo credentials', async () => {
  await using rig = await startRig({
    server: { auth: { scheme: 'bearer', users: { anna: 'pw-anna', bert: 'pw-bert' }, may: (user, { name }) => (user === 'anna' && name === 'src/app') || (user === 'bert' && name === 'dst/app') } },
    client: { credentials: ({ repository }) => repository === 'src/app' ? { kind: 'password', username: 'anna', password: 'pw-anna' } : { kind: 'password', username: 'bert', password: 'pw-bert' } },
    host: { concurrency: 4 },
  })
  const src = rig.client.repository(`${rig.server.host}/src/app`); const dst = rig.client.repository(`${rig.server.host}/dst/app`)
  await putSample(src, sampleImage(), 'v1')
  await attempt('7 put alone to dst works', async () => dst.putBlob(blobOf(new Uint8Array(3)).descriptor, bytesContent(new Uint8Array(3))))
  await attempt('7 copy', async () => JSON.stringify(await copy({ source: src, reference: 'v1' }, { target: dst, tags: ['v1'] }).result))
})
test('7b mount with basic', async () => {
  await using rig = await startRig({
    server: { auth: { scheme: 'basic', users: { anna: 'pw-anna', bert: 'pw-bert' }, may: (user, { name }) => (user === 'anna' && name === 'src/app') || (user === 'bert' && name === 'dst/app') } },
    client: { credentials: ({ repository }) => repository === 'src/app' ? { kind: 'password', username: 'anna', password: 'pw-anna' } : { kind: 'password', username: 'bert', password: 'pw-bert' } },
    host: { concurrency: 4 },
  })
  const src = rig.client.repository(`${rig.server.host}/src/app`); const dst = rig.client.repository(`${rig.server.host}/dst/app`)
  await putSample(src, sampleImage(), 'v1')
  await attempt('7b copy', async () => JSON.stringify(await copy({ source: src, reference: 'v1' }, { target: dst, tags: ['v1'] }).result))
})
test('9 chunked copy rereads', async () => {
  await using rig = await startRig({ host: { uploads: { chunkSize: 64 * 1024, singlePostUpTo: 0 }, concurrency: 4 } })
  await using from = await startMisbehavingRegistry()
  await using c = createClient({ hosts: { [from.host]: { plainHttp: true } } })
  const src = c.repository(`${from.host}/app`)
  const layer = new Uint8Array(4 * 1024 * 1024).fill(7)
  await putSample(src, sampleImage({ layers: [layer] }), 'v1')
  let bytes = 0
  from.on({ method: 'GET', path: /blobs/ }, async (call, next) => { const a: any = await next(call); return { ...a, body: (async function* () { for await (const x of a.body) { bytes += x.byteLength; yield x } })() } })
  const r = await copy({ source: src, reference: 'v1' }, { target: rig.repository, tags: ['v1'] }).result
  console.log('9 layer', layer.byteLength, 'GETs', from.seen({ method: 'GET', path: /blobs/ }).length, 'bytes read from source', bytes, 'PATCHes', rig.server.seen({ method: 'PATCH' }).length, 'ratio', (bytes / layer.byteLength).toFixed(1))
})
test('12 await client.copy', async () => {
  await using rig = await startRig()
  const job = await rig.client.copy(`${rig.server.host}/nope:v1`, 'memory:x:v1')
  console.log('12 await returned without an error; keys', Object.keys(job))
  await new Promise((r) => setTimeout(r, 300))
})
test('16 one byte acks', async () => {
  await using rig = await startRig({ host: { uploads: { singlePostUpTo: 0 } } })
  const n = 6000; let acked = 0
  rig.server.on({ method: 'PATCH' }, async (call) => { for await (const _ of call.body()); acked++; return reply(202, [['location', call.target], ['range', `0-${acked}`]]) })
  const b = blobOf(new Uint8Array(n).fill(1))
  await attempt('16', async () => rig.repository.putBlob(b.descriptor, bytesContent(b.bytes)))
  console.log('16 PATCHes for a blob of', n, 'bytes:', rig.server.seen({ method: 'PATCH' }).length, 'bytes sent', rig.server.seen({ method: 'PATCH' }).reduce((s, r) => s + r.bodyBytes, 0))
})
test('17 slow drip manifest', async () => {
  const s = http((q, a) => { a.writeHead(200, { 'content-type': 'application/json' }); const t = setInterval(() => a.write(' '), 60); a.on('close', () => clearInterval(t)) })
  const port = await listen(s)
  await using c = createClient({ hosts: { [`127.0.0.1:${port}`]: { plainHttp: true, timeouts: { idle: 200, answer: 200 }, retry: { attempts: 1 } } } })
  const stop = new AbortController()
  const w = c.repository(`127.0.0.1:${port}/app`).readManifest('v1', { signal: stop.signal }).then(() => 'ok', show)
  console.log('17 after 4 s with idle/answer 200 ms:', await Promise.race([w, new Promise((r) => setTimeout(() => r('still reading'), 4000))]))
  stop.abort(); console.log('17', await w); s.closeAllConnections(); s.close()
})
test('18 http reference sends stored creds', async () => {
  const seen: string[] = []
  const s = http((q, a) => { seen.push(`${q.method} ${q.url} ${q.headers.authorization} ${q.headers['x-key']}`); q.headers.authorization ? a.writeHead(200).end() : a.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end() })
  const port = await listen(s)
  await using c = createClient({ hosts: { [`127.0.0.1:${port}`]: { headers: { 'x-key': 'K' } } }, credentials: () => ({ kind: 'password', username: 'u', password: 'p' }) })
  await attempt('18', async () => c.registry(`http://127.0.0.1:${port}`).ping()); console.log('18', seen)
  await using c2 = createClient({ hosts: { [`reg.example`]: { endpoint: `http://127.0.0.1:${port}` } } })
  await attempt('27 https:// said, endpoint http', async () => { await c2.registry('https://reg.example').ping() }); console.log('27 requests', seen.length, seen.at(-1))
  s.closeAllConnections(); s.close()
})
test('19 huge min chunk', async () => {
  await using rig = await startRig({ client: { sendsStreams: false } as any, host: { uploads: { singlePostUpTo: 0 } } })
  rig.server.on({ method: 'POST', path: /uploads/ }, async (call, next) => { const a: any = await next(call); return { ...a, headers: [...a.headers, ['OCI-Chunk-Min-Length', '999999999999999']] } })
  const up = await rig.repository.startUpload()
  await attempt('19', async () => up.write({ size: undefined, open: () => bytesContent(new Uint8Array(10)).open() }))
  await up.cancel()
})
test('20 stale referrer in the tag', async () => {
  await using rig = await startRig({ host: { referrers: 'tag', concurrency: 4 } })
  const image = sampleImage(); const s1 = sampleImage({ subject: image.descriptor, artifactType: 'a/sig', layers: ['1'] }), s2 = sampleImage({ subject: image.descriptor, artifactType: 'a/sig', layers: ['2'] })
  await putSample(rig.repository, image, 'v1'); await putSample(rig.repository, s1); await putSample(rig.repository, s2)
  await rig.server.send('DELETE', `/v2/test/app/manifests/${s1.descriptor.digest}`)
  await attempt('20', async () => JSON.stringify(await copy({ source: rig.repository, reference: 'v1' }, { target: createMemoryTarget() }, { referrers: true }).result))
})
test('21 same site', () => { for (const [a, b] of [['victim.azurecr.io', 'evil.azurecr.io'], ['reg.github.io', 'evil.github.io'], ['registry.acme.tokyo.jp', 'evil.tokyo.jp'], ['a.herokuapp.com', 'b.herokuapp.com'], ['shop.tokyo.jp', 'evil.tokyo.jp'], ['10.0.0.5', '10.0.0.5']] as const) console.log('21', a, b, isSameSite(a, b)) })
test('22 reggie', async () => {
  let hits = 0
  const s = http((q, a) => { hits++; if (q.url!.startsWith('/token')) return; a.writeHead(401, { 'www-authenticate': `Bearer realm="http://127.0.0.1:${port}/token",service="s"` }).end() })
  const port = await listen(s)
  const c = NewClient(`http://127.0.0.1:${port}`, WithUsernamePassword('u', 'p'))
  const a1 = new AbortController(), a2 = new AbortController()
  const one = c.Do(c.NewRequest('GET', '/v2/'), { signal: a1.signal }).then(() => 'ok', show)
  await new Promise((r) => setTimeout(r, 200))
  const two = c.Do(c.NewRequest('GET', '/v2/'), { signal: a2.signal }).then(() => 'ok', show)
  await new Promise((r) => setTimeout(r, 200)); a2.abort()
  console.log('22 second after its abort:', await Promise.race([two, new Promise((r) => setTimeout(() => r('STILL PENDING after 1 s'), 1000))]))
  a1.abort(); console.log('22', await one); a2.abort(); s.closeAllConnections(); console.log('22 two', await Promise.race([two, new Promise((r) => setTimeout(() => r('pending'), 1000))])); s.close()
})
test('22b reggie timeouts', async () => {
  const warns: string[] = []; process.on('warning', (w) => warns.push(w.name))
  const s = http((q, a) => void setTimeout(() => a.writeHead(200).end('{}'), 500)); const port = await listen(s)
  const c = NewClient(`http://127.0.0.1:${port}`, WithTimeouts({ answer: 2 ** 31 }))
  let n = 0; const real = globalThis.setTimeout
  ;(globalThis as any).setTimeout = (...x: any[]) => { if (x[1] > 2 ** 31 - 2) n++; return (real as any)(...x) }
  await attempt('22b', async () => (await c.Do(c.NewRequest('GET', '/v2/'))).status); globalThis.setTimeout = real
  console.log('22b overflowing timers set in 500 ms:', n, warns.slice(0, 2)); s.closeAllConnections(); s.close()
})
test('25 endpoint hash', async () => {
  const seen: string[] = []; const s = http((q, a) => { seen.push(q.url!); a.writeHead(200).end() }); const port = await listen(s)
  await using c = createClient({ hosts: { 'reg.example': { endpoint: `http://127.0.0.1:${port}/#` } } })
  await attempt('25', async () => c.repository('reg.example/app').hasBlob(blobOf(new Uint8Array(1)).descriptor)); console.log('25', seen); s.closeAllConnections(); s.close()
})
test('26 docker aliases', async () => {
  const seen: string[] = []
  const c = createClient({ fetch: async (url) => { seen.push(url); return { status: 404, headers: new Headers(), body: null } } })
  for (const t of ['alpine', 'docker.io/alpine', 'index.docker.io/alpine', 'registry-1.docker.io/alpine', 'Docker.io/alpine', 'DOCKER.IO/alpine']) await c.resolve(t).catch(() => {})
  console.log('26', seen)
  const h = createClient({ hosts: { 'reg.example': { headers: { 'x-k': '1' } } }, credentials: (r) => { seen.push(`cred ${r.registry}`); return undefined }, fetch: async (url, i) => { seen.push(`${url} ${i.headers.get('x-k')}`); return { status: 404, headers: new Headers(), body: null } } })
  seen.length = 0; for (const t of ['reg.example/a', 'REG.example/a', 'reg.example:443/a']) await h.resolve(t).catch(() => {}); console.log('26b', seen)
})
