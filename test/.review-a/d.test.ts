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

import { mergeScopes } from '../../packages/client/src/transport/scopes.ts'
import { parseLocation, formatLocation } from '../../packages/client/src/location.ts'
test('40 referrers tag is an image: list', async () => {
  await using rig = await startRig({ host: { concurrency: 4 } })
  const image = sampleImage(); await putSample(rig.repository, image, 'v1')
  await putSample(rig.repository, sampleImage({ layers: ['z'] }), image.descriptor.digest.replace(':', '-'))
  rig.server.on({ path: /referrers/ }, () => errorReply(404, 'X', 'x'))
  await attempt('40', async () => collect(rig.repository.referrers(image.descriptor.digest)))
  await attempt('40 copy', async () => copy({ source: rig.repository, reference: 'v1' }, { target: createMemoryTarget() }, { referrers: true }).result)
})
test('41 fallback index members', async () => {
  await using rig = await startRig({ host: { concurrency: 4, referrers: 'tag' } })
  const image = sampleImage(); await putSample(rig.repository, image, 'v1')
  const tag = image.descriptor.digest.replace(':', '-')
  const other = sampleImage({ layers: ['o'], subject: image.descriptor, artifactType: 'x/y' }); await rig.server.send('PUT', '/x', {} as any).catch(() => {})
  for (const b of other.blobs) await rig.repository.putBlob(b.descriptor, bytesContent(b.bytes))
  const put = async (path: string, body: Uint8Array | string, type: string) => (await fetch(`${rig.server.url}${path}`, { method: 'PUT', body, headers: { 'content-type': type } })).status
  console.log('41', await put(`/v2/test/app/manifests/${other.descriptor.digest}`, other.bytes, other.descriptor.mediaType))
  const idx = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', annotations: { keep: 'me' }, manifests: [{ ...other.descriptor, artifactType: 'x/y', 'vendor.extra': 1, annotations: { a: 'b' } }] }
  console.log('41', await put(`/v2/test/app/manifests/${tag}`, JSON.stringify(idx), idx.mediaType))
  await putSample(rig.repository, sampleImage({ layers: ['n'], subject: image.descriptor, artifactType: 'x/z' }))
  console.log('41 after', await (await fetch(`${rig.server.url}/v2/test/app/manifests/${tag}`, { headers: { accept: idx.mediaType } })).text())
})
test('42 location round trip', () => { for (const t of ['registry-1.docker.io/alpine', 'http://localhost:5000/app:v1@sha256:' + 'a'.repeat(64), 'memory:5000/app', 'ocidir:a:b@sha256:' + 'a'.repeat(64)]) { const l = parseLocation(t); console.log('42', t.slice(0, 40), JSON.stringify(l).slice(0, 150), formatLocation(l).slice(0, 60)) } })
test('43 hanging mirror is asked again for every read', async () => {
  await using bad = await startMisbehavingRegistry(); await using reg = await createTestRegistry()
  await using c = createClient({ hosts: { [bad.host]: { plainHttp: true, timeouts: { answer: 300, idle: 300 } }, [reg.host]: { plainHttp: true, mirrors: [bad.host] } } })
  await using plain = createClient({ hosts: { [reg.host]: { plainHttp: true } } }); await putSample(plain.repository(`${reg.host}/app`), sampleImage({ layers: ['1', '2', '3', '4', '5', '6'] }), 'v1')
  bad.on({}, () => 'hang')
  const t = performance.now(); const m = createMemoryTarget(); const r = await copy({ source: c.repository(`${reg.host}/app`), reference: 'v1' }, { target: m, tags: ['v1'] }).result
  console.log('43 answer timeout of the mirror 300 ms, copy took', Math.round(performance.now() - t), 'ms; mirror asked', bad.requests.length, 'times; retries reported', r.retries)
})
test('44 index children that exist are not looked at', async () => {
  await using rig = await startRig({ host: { concurrency: 4 } })
  const source = createMemoryTarget('src'); const a = sampleImage({ layers: ['a'] }); const index = sampleIndex([a]); await putSample(source, index, 'v1')
  await copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['v1'] }).result
  const lay = a.blobs[1]!.descriptor.digest
  console.log('44 delete blob', (await rig.server.send('DELETE', `/v2/test/app/blobs/${lay}`)).status)
  await attempt('44 new tag', async () => JSON.stringify(await copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['v2'] }).result))
  console.log('44 layer there', (await rig.server.send('GET', `/v2/test/app/blobs/${lay}`)).status)
})
test('45 tls/hosts aliases', async () => {
  const seen: string[] = []
  const c = createClient({ hosts: { 'docker.io': { headers: { 'x-a': '1' } }, 'index.docker.io': { headers: { 'x-b': '2' } } }, fetch: async (url, i) => { seen.push(JSON.stringify(Object.fromEntries(i.headers))); return { status: 404, headers: new Headers(), body: null } } })
  await c.resolve('alpine').catch(() => {}); console.log('45', seen[0])
})
test('46 client.copy unknown option', async () => {
  await using rig = await startRig({ host: { concurrency: 4 } }); await putSample(rig.repository, sampleImage(), 'v1')
  await attempt('46', async () => (await rig.client.copy(`${rig.server.host}/test/app:v1`, 'memory:m:v1', { platform: 'linux/arm64', refererrs: true } as any).result).manifests)
})
test('47 dispose during copy', async () => {
  await using s = await createTestRegistry(); await using m = await startMisbehavingRegistry()
  const c = createNodeClient({ proxy: false, credentials: () => undefined, hosts: { [s.host]: { plainHttp: true }, [m.host]: { plainHttp: true } } })
  await putSample(c.repository(`${s.host}/app`), sampleImage(), 'v1')
  m.on({ method: 'HEAD' }, async (call, next) => { await new Promise((r) => setTimeout(r, 500)); return next(call) })
  const job = c.copy(`${s.host}/app:v1`, `${m.host}/app:v1`); await new Promise((r) => setTimeout(r, 100)); const t = performance.now(); await c[Symbol.asyncDispose]()
  console.log('47', await job.result.then(() => 'ok', show), Math.round(performance.now() - t), 'ms after dispose')
})
test('48 queue growth', async () => {
  const { createEventQueue } = await import('../../packages/client/src/copy/events.ts')
  const q = createEventQueue(); const d = (i: number) => ({ mediaType: 'x', digest: ('sha256:' + String(i).padStart(64, '0')) as any, size: 1 })
  for (let i = 0; i < 40_000; i++) q.push({ type: 'found', role: 'blob', descriptor: d(i) })
  const t = performance.now(); let n = 0; for await (const _ of (async function* () { for await (const e of q.listen()) { yield e; if (++n === 40_000) return } })()); console.log('48 draining 40k with shift ms', Math.round(performance.now() - t))
  for (let i = 0; i < 40_000; i++) q.push({ type: 'progress', descriptor: d(i), sent: 1 }); const t2 = performance.now(); for (let i = 0; i < 2000; i++) q.push({ type: 'progress', descriptor: d(i), sent: 2 }); console.log('48 2000 progress events over 40k waiting ms', Math.round(performance.now() - t2))
})
