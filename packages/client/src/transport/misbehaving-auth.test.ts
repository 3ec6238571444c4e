import {
  type Behaviour,
  brokenChallenges,
  challenge,
  challengeForms,
  fail,
  hang,
  jsonReply,
  type MisbehavingOptions,
  redirectEndlessly,
  redirectTo,
  redirectToItself,
  redirectToTrap,
  redirectWithUserinfo,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { readAll } from '../content/verify.ts'
import type { Credential } from '../credentials/credential.ts'
import { startRig } from '../testing/misbehaving.ts'
import { putSample, sample, sampleImage } from '../testing/sample-images.ts'

const password = 's3cret/+ word'
const alice: Credential = { kind: 'password', username: 'alice', password }
const client = { credentials: () => alice }
const bearer: MisbehavingOptions = { auth: { scheme: 'bearer', users: { alice: password } } }
const basic: MisbehavingOptions = { auth: { scheme: 'basic', users: { alice: password } } }

describe.each<[string, MisbehavingOptions]>([
  ['Basic', basic],
  ['Bearer', bearer],
])('a registry that lets in by %s', (_, server) => {
  it('is pushed to and pulled from', async () => {
    await using rig = await startRig({ server, client })
    const image = sampleImage({ layers: ['a', 'x'.repeat(100_000)] })
    await putSample(rig.repository, image, 'v1')
    expect(await rig.repository.resolve('v1')).toEqual(image.descriptor)
    for (const { descriptor, bytes } of image.blobs) {
      expect(Buffer.compare(await readAll(rig.repository.getBlob(descriptor), 1e6, 'it'), bytes)).toBe(0)
    }
    await rig.repository.deleteManifest(image.descriptor.digest)
    expect(await collect(rig.client.registry(rig.server.host).repositories())).toEqual(['test/app'])
    await rig.client.registry(rig.server.host).ping()
  })

  it('is unauthorized without credentials, or with wrong ones, and is not asked for ever', async () => {
    for (const credentials of [
      undefined,
      { ...alice, password: 'wrong' },
      { kind: 'identity-token', token: 'wrong' },
      { kind: 'registry-token', token: 'wrong' },
    ] as (Credential | undefined)[]) {
      await using rig = await startRig({ server, client: { credentials: () => credentials } })
      const reading = rig.repository.resolve('v1')
      await expect(reading).rejects.toMatchObject({ code: 'unauthorized' })
      await expect(reading).rejects.not.toThrow(/wrong/)
      expect(rig.traces.length).toBeLessThanOrEqual(3)
    }
  })

  it('has its answers followed elsewhere, without what is for it alone', async () => {
    await using rig = await startRig({ server, client, host: { headers: { 'x-key': 'only-for-the-registry' } } })
    const { descriptor, bytes } = sample('a/b', 'x'.repeat(100_000))
    await rig.repository.putBlob(descriptor, bytesContent(bytes))
    for (const status of [301, 302, 303, 307, 308] as const) {
      const rule = rig.server.on({ method: 'GET', path: /blobs\/sha256/ }, redirectToTrap(status))
      expect(Buffer.compare(await readAll(rig.repository.getBlob(descriptor), 1e6, 'it'), bytes)).toBe(0)
      expect(rig.server.seen({ origin: 'trap' }).at(-1)?.target).toContain(descriptor.digest)
      rule.remove()
    }
    expect(rig.server.seen({ origin: 'trap' }).some(({ headers }) => 'x-key' in headers)).toBe(false)
    expect(rig.server.seen({ path: /^\/v2/ }).every(({ headers }) => 'x-key' in headers)).toBe(true)
  })

  it('shows nobody else its credentials who asks for them', async () => {
    await using rig = await startRig({ server, client })
    await rig.client.registry(rig.server.host).ping()
    rig.server.on({ method: 'GET', path: /blobs/ }, redirectToTrap())
    for (const lines of [
      ['Basic realm="x"'],
      [`Bearer realm="${rig.server.trap.url}/token"`],
      ['Bearer realm="/token"'],
    ]) {
      const rule = rig.server.on({ origin: 'trap' }, challenge(...lines))
      const { descriptor } = sample('a/b', 'x')
      await expect(collect(rig.repository.getBlob(descriptor))).rejects.toMatchObject({ code: 'unauthorized' })
      rule.remove()
    }
  })

  it('is sent no write elsewhere', async () => {
    await using rig = await startRig({ server, client })
    const { descriptor, bytes } = sample('a/b', 'x')
    const image = sampleImage()
    rig.server.on({ method: ['POST', 'PUT', 'PATCH', 'DELETE'], path: /^\/v2/ }, redirectToTrap())
    for (const call of [
      async () => rig.repository.putBlob(descriptor, bytesContent(bytes)),
      async () => rig.repository.putManifest(image.descriptor, image.bytes),
      async () => rig.repository.deleteBlob(descriptor.digest),
      async () => rig.repository.deleteManifest(descriptor.digest),
      async () => rig.repository.startUpload(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'refused' })
    }
    expect(rig.server.seen({ origin: 'trap' })).toEqual([])
  })
})

describe('a token', () => {
  it.each(Object.entries(challengeForms))('is had by a challenge in whatever form: %s', async (_, form) => {
    await using rig = await startRig({ server: { auth: { ...bearer.auth!, challenge: form } }, client })
    await putSample(rig.repository, sampleImage(), 'v1')
    expect(
      rig.server.tokens.requests.every(
        ({ user, service, granted }) => granted && user === 'alice' && service === 'registry.test',
      ),
    ).toBe(true)
  })

  it.each(brokenChallenges)('is not had by %j', async (line) => {
    await using rig = await startRig({ client })
    rig.server.on({}, challenge(line))
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ name: 'ClientError' })
    expect(rig.server.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false)
    expect(rig.server.requests).toHaveLength(1)
  })

  it('is asked for once for many', async () => {
    await using rig = await startRig({ server: bearer, client, host: { concurrency: 20 } })
    await putSample(rig.repository, sampleImage(), 'v1')
    rig.server.tokens.expireAll()
    const before = rig.server.tokens.requests.length
    await Promise.all(Array.from({ length: 20 }, async () => rig.repository.resolve('v1')))
    expect(rig.server.tokens.requests.length - before).toBe(1)
  })

  it('is asked for anew when it does not count any more, in the middle of an upload too', async () => {
    await using rig = await startRig({ server: bearer, client })
    const bytes = new Uint8Array(200_000).fill(1)
    const { descriptor } = sample('a/b', bytes)
    await using upload = await rig.repository.startUpload()
    const expire: Behaviour = async (call, next) => {
      rig.server.tokens.expireAll()
      return next(call)
    }
    rig.server.on({ method: 'PATCH' }, expire, { times: 1 })
    rig.server.on({ method: 'PATCH' }, expire, { skip: 2, times: 1 })
    await upload.write(bytesContent(bytes), { chunkSize: 100_000 })
    expect(rig.server.seen({ method: 'PATCH' }).map(({ status }) => status)).toEqual([401, 202, 401, 202])
    rig.server.tokens.expireAll()
    await upload.commit(descriptor.digest)
    expect(await rig.repository.hasBlob(descriptor)).toBe(true)
  })

  it('that is not enough is an error, not a loop', async () => {
    const may = (): boolean => false
    await using rig = await startRig({ server: { auth: { ...bearer.auth!, may } }, client })
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    expect(rig.traces.length).toBeLessThanOrEqual(8)
  })

  it('is had by POST where a server knows no GET, and by an identity token', async () => {
    await using rig = await startRig({ server: bearer, client })
    rig.server.on({ method: 'GET', path: /^\/token/ }, fail(405))
    await rig.client.registry(rig.server.host).ping()
    await rig.repository.startUpload().then(async (upload) => upload.cancel())
    expect(
      rig.server.tokens.requests.every(({ method, grantType }) => method === 'POST' && grantType === 'password'),
    ).toBe(true)
    await using other = await startRig({
      server: bearer,
      client: { credentials: () => ({ kind: 'identity-token', token: refresh }) },
    })
    const refresh = other.server.tokens.issueRefreshToken('alice')
    await putSample(other.repository, sampleImage(), 'v1')
    expect(other.server.tokens.requests.every(({ grantType }) => grantType === 'refresh_token')).toBe(true)
  })

  it('that the registry itself takes is sent as it is', async () => {
    await using rig = await startRig({
      server: bearer,
      client: { credentials: () => ({ kind: 'registry-token', token }) },
    })
    const token = rig.server.tokens.issue(
      ['pull', 'push'].map((action) => ({ type: 'repository', name: 'test/app', action })),
    )
    await putSample(rig.repository, sampleImage(), 'v1')
    expect(rig.server.tokens.requests).toEqual([])
  })

  it('is not had from strangers for credentials; where the caller lists them it is', async () => {
    const server: MisbehavingOptions = { auth: { ...bearer.auth!, realm: 'trap' } }
    await using rig = await startRig({ server, client })
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('tokenServers'),
    })
    expect(rig.server.seen({ origin: 'trap' })).toEqual([])
    await using anonymous = await startRig({ server })
    await expect(anonymous.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized' })
    expect(anonymous.server.tokens.requests).toHaveLength(1)
  })

  it('is not had by way of a redirect to strangers', async () => {
    for (const credentials of [alice, { kind: 'identity-token', token: 'x' }] as const) {
      await using rig = await startRig({ server: bearer, client: { credentials: () => credentials } })
      rig.server.on({ path: /^\/token/ }, redirectToTrap())
      await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'refused' })
      expect(rig.server.seen({ origin: 'trap' })).toEqual([])
    }
  })

  it.each([
    ['itself', redirectToItself(), 'invalid-response'],
    ['ever new places', redirectEndlessly(), 'invalid-response'],
    ['credentials', redirectWithUserinfo(), 'refused'],
    ['a file', redirectTo('file:///etc/passwd'), 'refused'],
    ['an address within', redirectTo('http://169.254.169.254/'), 'refused'],
  ] as const)('is not had by way of a redirect to %s', async (_, behaviour, code) => {
    await using rig = await startRig({ server: bearer, client })
    rig.server.on({ path: /^\/token/ }, behaviour)
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code })
  })

  it('is waited for where its server is busy, and no longer than allowed', async () => {
    await using rig = await startRig({ server: bearer, client })
    rig.server.on({ path: /^\/token/ }, fail(429, { retryAfter: 0 }), { times: 2 })
    await rig.client.registry(rig.server.host).ping()
    rig.server.on({ path: /^\/token/ }, fail(503))
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'registry-failed', status: 503 })
    await using busy = await startRig({ server: bearer, client })
    busy.server.on({ path: /^\/token/ }, fail(429, { retryAfter: 3600 }))
    await expect(busy.repository.resolve('v1')).rejects.toMatchObject({ code: 'rate-limited', retryAfter: 3_600_000 })
    expect(busy.traces).toHaveLength(2)
  })

  it.each([
    ['nothing', () => jsonReply(200, {}), 'invalid-response'],
    ['a list', () => jsonReply(200, []), 'invalid-response'],
    ['a header of its own', () => jsonReply(200, { token: 'a\r\nx: y' }), 'invalid-response'],
    ['an error without end', fail(500, { body: 'endless' }), 'registry-failed'],
    ['an answer without end', fail(200, { body: 'endless' }), 'too-large'],
    ['404', fail(404), 'invalid-response'],
  ] as const)('is not %s', async (_, behaviour, code) => {
    await using rig = await startRig({ server: bearer, client })
    rig.server.on({ path: /^\/token/ }, behaviour)
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code })
  })

  it('is not waited for where its server hangs', async () => {
    await using rig = await startRig({ server: bearer, client, host: { timeouts: { answer: 50 } } })
    rig.server.on({ path: /^\/token/ }, hang(), { times: 3 })
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'timeout' })
  })

  it('is in no message and no trace', async () => {
    await using rig = await startRig({ server: bearer, client })
    rig.server.on({ method: 'PUT' }, fail(500, { message: 'broken' }))
    const image = sampleImage()
    const error: unknown = await putSample(rig.repository, image, 'v1').catch((caught: unknown) => caught)
    const told = JSON.stringify([rig.traces, String(error), error])
    expect(rig.traces.length).toBeGreaterThan(5)
    expect(told).not.toContain(password)
    expect(told).not.toContain(encodeURIComponent(password))
    expect(told).not.toMatch(/access-|Bearer |Basic |[?]/)
  })
})
