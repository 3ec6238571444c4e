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

test('1 mirror of the target makes copy say existing', async () => {
  await using mirror = await createTestRegistry()
  await using reg = await createTestRegistry()
  await using client = createClient({ hosts: { [mirror.host]: { plainHttp: true }, [reg.host]: { plainHttp: true, mirrors: [mirror.host] } } })
  const image = sampleImage()
  await putSample(client.repository(`${mirror.host}/app`), image, 'v1')
  const r = await client.copy(`http://${mirror.host}/app:v1`, `${reg.host}/app:v1`).result
  console.log('1', JSON.stringify(r.manifests), JSON.stringify(r.blobs))
  const direct = await fetch(`${reg.url}/v2/app/manifests/v1`)
  console.log('1 registry itself has', direct.status)
})
test('2 mirror referrers/tags hide', async () => {
  await using mirror = await createTestRegistry()
  await using reg = await createTestRegistry()
  await using dst = await createTestRegistry()
  await using client = createClient({ hosts: { [mirror.host]: { plainHttp: true }, [dst.host]: { plainHttp: true }, [reg.host]: { plainHttp: true, mirrors: [mirror.host] } } })
  await using plain = createClient({ hosts: { [reg.host]: { plainHttp: true } } })
  const image = sampleImage()
  const sig = sampleImage({ subject: image.descriptor, artifactType: 'application/sig', layers: ['sig'] })
  const own = plain.repository(`${reg.host}/app`)
  await putSample(own, image, 'v1'); await putSample(own, sig); await putSample(own, sampleImage({ layers: ['2'] }), 'v2')
  await putSample(client.repository(`${mirror.host}/app`), image, 'v1')
  console.log('2 direct referrers', (await collect(own.referrers(image.descriptor.digest))).length, 'tags', await collect(own.tags()))
  const via = client.repository(`${reg.host}/app`)
  console.log('2 via mirror referrers', (await collect(via.referrers(image.descriptor.digest))).length, 'tags', await collect(via.tags()))
  const r = await client.copy(`${reg.host}/app:v1`, `${dst.host}/app:v1`, { referrers: true }).result
  console.log('2 copy', JSON.stringify(r))
})
test('3 mirror with wrong bytes: no fallback', async () => {
  await using bad = await startMisbehavingRegistry()
  await using reg = await createTestRegistry()
  await using client = createClient({ hosts: { [bad.host]: { plainHttp: true }, [reg.host]: { plainHttp: true, mirrors: [bad.host] } } })
  await using plain = createClient({ hosts: { [reg.host]: { plainHttp: true } } })
  const blob = blobOf(new TextEncoder().encode('hello blob'.repeat(100)))
  await plain.repository(`${reg.host}/app`).putBlob(blob.descriptor, bytesContent(blob.bytes))
  await client.repository(`${bad.host}/app`).putBlob(blob.descriptor, bytesContent(blob.bytes))
  for (const [n, b] of [['flip', flipByte(3)], ['lengthen', lengthenBody('zz')]] as const) {
    const rule = bad.on({ method: 'GET', path: /blobs/ }, b)
    await attempt(`3 ${n}`, async () => (await readAll(client.repository(`${reg.host}/app`).getBlob(blob.descriptor), 1e6, '')).length)
    rule.remove()
  }
})
test('4 sparse then full', async () => {
  const source = createMemoryTarget('src')
  const a = sampleImage({ layers: ['a'] }), b = sampleImage({ layers: ['b'], platform: { os: 'linux', architecture: 'arm64' } })
  const index = sample('application/vnd.oci.image.index.v1+json', JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [{ ...a.descriptor, platform: { os: 'linux', architecture: 'amd64' } }, { ...b.descriptor, platform: { os: 'linux', architecture: 'arm64' } }] }))
  await putSample(source, a); await putSample(source, b); await source.putManifest(index.descriptor, index.bytes, { tags: ['v1'] })
  await using reg = await createTestRegistry()
  await using client = createClient({ hosts: { [reg.host]: { plainHttp: true } } })
  const target = client.repository(`${reg.host}/app`)
  await attempt('4 sparse', async () => JSON.stringify(await copy({ source, reference: 'v1' }, { target, tags: ['v1'] }, { platforms: [{ os: 'linux', architecture: 'amd64' }], index: 'sparse' }).result))
  await attempt('4 full', async () => JSON.stringify(await copy({ source, reference: 'v1' }, { target, tags: ['v1'] }).result))
  await attempt('4 arm64 there', async () => target.hasManifest(b.descriptor))
  await attempt('4 full w/ other tag', async () => JSON.stringify(await copy({ source, reference: 'v1' }, { target, tags: ['v2'] }).result))
})
test('5 opaqueredirect leaks hosts.headers', async () => {
  const seen: any[] = []
  const client = createClient({ hosts: { 'reg.example': { headers: { 'x-api-key': 'SECRET' } } }, fetch: async (url, init) => {
    seen.push([init.redirect, Object.fromEntries(init.headers)])
    if (init.redirect === 'manual') return { status: 0, headers: new Headers(), body: null, type: 'opaqueredirect' }
    return { status: 404, headers: new Headers(), body: null, url: 'https://evil.example/x' }
  } })
  await attempt('5', async () => client.repository('reg.example/app').hasBlob(blobOf(new Uint8Array(1)).descriptor))
  console.log('5', JSON.stringify(seen))
})
test('8 sha512 root by tag', async () => {
  await using s = await createTestRegistry(); await using d = await createTestRegistry()
  await using client = createClient({ hosts: { [s.host]: { plainHttp: true }, [d.host]: { plainHttp: true } } })
  const image = sampleImage({ algorithm: 'sha512' })
  const source = client.repository(`${s.host}/app`)
  await putSample(source, image)
  await attempt('8 copy by digest w/ tag', async () => { const r = await client.copy(`${s.host}/app@${image.descriptor.digest}`, `${d.host}/app:v1`).result; console.log('8 root', r.root.digest.slice(0, 20)); return client.repository(`${d.host}/app`).hasManifest(r.root) })
  await attempt('8 resolve tag', async () => (await client.resolve(`${d.host}/app:v1`)).digest.slice(0, 20))
  await attempt('8 read by root', async () => (await client.open(`${d.host}/app@${image.descriptor.digest}`)).kind)
  await attempt('8 copy again', async () => JSON.stringify((await client.copy(`${s.host}/app@${image.descriptor.digest}`, `${d.host}/app:v1`).result).manifests))
})
test('10 one bad challenge poisons', async () => {
  await using rig = await startRig()
  const blob = blobOf(new TextEncoder().encode('x'))
  await rig.repository.putBlob(blob.descriptor, bytesContent(blob.bytes))
  rig.server.on({ method: 'HEAD' }, () => ({ ...errorReply(401, 'X', 'x', [['www-authenticate', 'Bearer realm="ftp://nowhere/"']]) }), { times: 1 })
  await attempt('10 first', async () => rig.repository.hasBlob(blob.descriptor))
  await attempt('10 second', async () => rig.repository.hasBlob(blob.descriptor))
  await attempt('10 third', async () => rig.repository.hasBlob(blob.descriptor))
}, 20000)
test('11 referrers 400 -> none', async () => {
  await using rig = await startRig()
  const image = sampleImage(); const sig = sampleImage({ subject: image.descriptor, artifactType: 'application/sig', layers: ['sig'] })
  await putSample(rig.repository, image, 'v1'); await putSample(rig.repository, sig)
  const rule = rig.server.on({ path: /referrers/ }, () => errorReply(400, 'BAD', 'some proxy'))
  await attempt('11 400', async () => JSON.stringify(await copy({ source: rig.repository, reference: 'v1' }, { target: createMemoryTarget() }, { referrers: true }).result))
  rule.remove()
  rig.server.on({ path: /referrers/ }, () => jsonReply(200, { schemaVersion: 2, manifests: [{ ...sig.descriptor, annotations: { a: 1 } }] }))
  await attempt('11 bad entry', async () => JSON.stringify(await copy({ source: rig.repository, reference: 'v1' }, { target: createMemoryTarget() }, { referrers: true }).result))
})
test('11b malformed link truncates', async () => {
  await using rig = await startRig()
  for (const t of ['a', 'b', 'c']) await putSample(rig.repository, sampleImage({ layers: [t] }), t)
  rig.server.on({ path: /tags\/list/ }, () => jsonReply(200, { name: 'x', tags: ['a'] }, [['link', '/v2/test/app/tags/list?last=a&n=1; rel="next"']]))
  await attempt('11b', async () => collect(rig.repository.tags({ pageSize: 1 })))
})
test('13 attestation first', async () => {
  const source = createMemoryTarget('src')
  const a = sampleImage({ layers: ['a'] }), att = sampleImage({ layers: ['att'] })
  const index = sample('application/vnd.oci.image.index.v1+json', JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [
    { ...att.descriptor, platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.digest': a.descriptor.digest } }, { ...a.descriptor, platform: { os: 'linux', architecture: 'amd64' } }] }))
  await putSample(source, a); await putSample(source, att); await source.putManifest(index.descriptor, index.bytes, { tags: ['v1'] })
  const r = await copy({ source, reference: 'v1' }, { target: createMemoryTarget(), tags: ['v1'] }, { platforms: [{ os: 'linux', architecture: 'amd64' }] }).result
  console.log('13 root is', r.root.digest === a.descriptor.digest ? 'image' : r.root.digest === att.descriptor.digest ? 'ATTESTATION' : '?')
  await attempt('24 strings', async () => copy({ source, reference: 'v1' }, { target: createMemoryTarget(), tags: ['v1'] }, { platforms: ['linux/amd64'] as any }).result)
})
test('14 invalid second tag', async () => {
  await using rig = await startRig()
  const source = createMemoryTarget('src'); await putSample(source, sampleImage(), 'v1')
  await attempt('14', async () => copy({ source, reference: 'v1' }, { target: rig.repository, tags: ['ok', 'not ok'] }).result)
  console.log('14 requests before', rig.server.requests.length, 'PUTs', rig.server.seen({ method: 'PUT' }).map((r) => r.target))
})
test('15 abort with shared knowledge', async () => {
  const source = createMemoryTarget('src'); await putSample(source, sampleImage(), 'v1')
  const knowledge = createTargetKnowledge()
  const t1 = createMemoryTarget(); const hang = Promise.withResolvers<'uploaded'>()
  const slow = { ...t1, putBlob: async () => hang.promise } as any
  const A = copy({ source, reference: 'v1' }, { target: slow, tags: ['v1'] }, { knowledge })
  await new Promise((r) => setTimeout(r, 50))
  const stop = new AbortController()
  const B = copy({ source, reference: 'v1' }, { target: slow, tags: ['v2'] }, { knowledge, signal: stop.signal })
  await new Promise((r) => setTimeout(r, 50)); stop.abort()
  const s = await Promise.race([B.result.then(() => 'ok', (e) => show(e)), new Promise((r) => setTimeout(() => r('STILL PENDING 1s after abort'), 1000))])
  console.log('15', s); hang.resolve('uploaded'); await A.result.catch(() => {}); await B.result.catch(() => {})
})
