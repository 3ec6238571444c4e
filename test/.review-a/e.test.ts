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
import { createServer as net } from 'node:net'
import { selfSigned } from '@stowage/testkit'
import { checkRealm } from '../../packages/client/src/transport/tokens.ts'
import { resolveHost } from '../../packages/client/src/transport/hosts.ts'
const listen = async (s: any) => { await new Promise<void>((r) => s.listen(0, '127.0.0.1', r)); return s.address().port as number }
test('50 client cert to a redirect target and * insecure', async () => {
  const server = selfSigned(), mine = selfSigned()
  const seen: any[] = []
  const trap = https({ ...server, requestCert: true, rejectUnauthorized: false }, (q, a) => { seen.push((q.socket as any).getPeerCertificate()?.subject); a.writeHead(404).end() }); const tp = await listen(trap)
  const reg = https({ ...server }, (q, a) => a.writeHead(307, { location: `https://127.0.0.1:${tp}/x` }).end()); const rp = await listen(reg)
  const c = createNodeClient({ credentials: () => undefined, proxy: false, hosts: { '*': { tls: { cert: mine.cert, key: mine.key } }, [`127.0.0.1:${rp}`]: { tls: { ca: server.cert } } } })
  const warn = await attempt('50', async () => c.repository(`127.0.0.1:${rp}/app`).describeBlob(('sha256:' + 'a'.repeat(64)) as any))
  console.log('50 without insecure: seen', seen)
  const c2 = createNodeClient({ credentials: () => undefined, proxy: false, hosts: { '*': { tls: { cert: mine.cert, key: mine.key, insecure: true } }, [`127.0.0.1:${rp}`]: { tls: { ca: server.cert } } } })
  await attempt('50b', async () => c2.repository(`127.0.0.1:${rp}/app`).describeBlob(('sha256:' + 'a'.repeat(64)) as any)); console.log('50b trap saw the client certificate', JSON.stringify(seen))
  for (const x of [c, c2]) await x[Symbol.asyncDispose](); for (const s of [trap, reg]) { s.closeAllConnections(); s.close() }
})
test('51 eight readers, default concurrency', async () => {
  await using reg = await createTestRegistry(); await using c = createClient({ hosts: { [reg.host]: { plainHttp: true } } }); const repo = c.repository(`${reg.host}/app`)
  const b = blobOf(new Uint8Array(2_000_000)); await repo.putBlob(b.descriptor, bytesContent(b.bytes)); const stop = new AbortController()
  const all = Promise.all(Array.from({ length: 8 }, async () => { for await (const _ of repo.getBlob(b.descriptor, { signal: stop.signal })) { await repo.hasBlob(b.descriptor, { signal: stop.signal }); return } })).then(() => 'done', show)
  console.log('51', await Promise.race([all, new Promise((r) => setTimeout(() => r('DEADLOCK after 3 s'), 3000))])); stop.abort(); await all
})
test('52 1xx storm', async () => {
  const s = net((k) => { k.on('error', () => {}); const t = setInterval(() => k.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=x\r\n\r\n'), 20); k.on('close', () => clearInterval(t)) }); const port = await listen(s)
  await using c = createClient({ hosts: { [`127.0.0.1:${port}`]: { plainHttp: true, timeouts: { answer: 400, idle: 400 }, retry: { attempts: 1 } } } })
  await attempt('52', async () => Promise.race([c.registry(`127.0.0.1:${port}`).ping(), new Promise((r) => setTimeout(() => r('HANGS'), 3000))])); s.close()
})
test('53 foreign errors', async () => {
  await using rig = await startRig()
  await attempt('53 getBlob sha1', async () => readAll(rig.repository.getBlob({ mediaType: 'x', digest: 'sha1:abc' as any, size: 1 }), 10, ''))
  await attempt('53 putManifest bad digest', async () => rig.repository.putManifest({ mediaType: 'x', digest: 'x' as any, size: 1 }, new Uint8Array(1)))
  await attempt('53 deleteBlob with query', async () => rig.repository.deleteBlob('sha256:abc?x=1#y' as any)); console.log('53', rig.server.requests.at(-1)?.target)
})
test('54 realm', () => { for (const [e, r] of [['https://10.0.0.5:5000', 'https://10.0.0.5:6443/token'], ['https://reg.example.com', 'https://reg.example.com:8443/t'], ['https://victim.azurecr.io', 'https://evil.azurecr.io/t'], ['https://1.dkr.ecr.us-east-1.amazonaws.com', 'https://2.dkr.ecr.us-east-1.amazonaws.com/t']] as const) { try { console.log('54', e, '->', checkRealm(resolveHost('x', { endpoint: e }), r, { kind: 'identity-token', token: 't' }).href, 'ALLOWED') } catch (x) { console.log('54', e, r, show(x)) } } })
test('55 identity token to sibling tenant, end to end (fake fetch)', async () => {
  const sent: any[] = []
  const c = createClient({ credentials: () => ({ kind: 'identity-token', token: 'REFRESH-SECRET' }), fetch: async (url, i) => { const body = i.body instanceof Uint8Array ? new TextDecoder().decode(i.body) : ''; sent.push(`${i.method} ${url} ${body}`); return url.includes('evil') ? { status: 200, headers: new Headers(), body: new Blob(['{"token":"t"}']).stream() } : { status: i.headers.has('authorization') ? 200 : 401, headers: new Headers(i.headers.has('authorization') ? {} : { 'www-authenticate': 'Bearer realm="https://evil.azurecr.io/oauth2/token",service="s"' }), body: null } } })
  await attempt('55', async () => c.registry('victim.azurecr.io').ping()); console.log('55', sent.slice(0, 2))
})
test('56 blob upload Location loops / path', async () => {
  await using rig = await startRig({ host: { uploads: { singlePostUpTo: 0 } } })
  rig.server.on({ method: 'PATCH' }, async (call) => { for await (const _ of call.body()); return reply(202, [['location', call.target], ['range', '0-0']]) })
  const b = blobOf(new Uint8Array(1000)); await attempt('56', async () => rig.repository.putBlob(b.descriptor, bytesContent(b.bytes))); console.log('56 patches', rig.server.seen({ method: 'PATCH' }).length)
})
