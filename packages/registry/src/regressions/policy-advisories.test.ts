import { type Answer, doors, type OpenDoor, sample } from '@stowage/testkit'
import type { RegistryOptions } from '@stowage/registry'
import { describe, expect, it } from 'vitest'
import { memoryBlobs } from '../blobs/memory/memory-blobs.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { basic, secret } from '../testing/with-accounts.ts'

const { sha256 } = sample
const bytes = (text: string): Uint8Array => Buffer.from(text)
const image = sample.image('kept')
const child = sample.image('child')
const other = sample.image('other')
const indexType = 'application/vnd.oci.image.index.v1+json'

const code = (answer: Answer): string =>
  `${answer.status} ${(answer.json() as { errors: { code: string }[] }).errors[0]?.code}`

/** An administrator, so that nothing but the policy can be in the way. */
const boss = { name: 'boss', password: 'the password of the boss' }
const authorization = basic(boss.name, boss.password)

/** What a registry holds before the policy: `kept` names an image, `index` an index of another, `loose` something to move. */
const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: indexType,
  manifests: [{ mediaType: child.mediaType, digest: child.digest, size: child.manifest.byteLength }],
})

describe.each(doors)('T7: policies hold on every route that changes something, through $name', ({ open }) => {
  /** Opens a registry, fills it, and opens it once more with the policies. */
  const withPolicies = async (policies: NonNullable<RegistryOptions['policies']>) => {
    await using opened = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'stowage-policies-'))
    opened.defer(async () => rm(directory, { recursive: true, force: true }))
    const blobs = Object.assign(memoryBlobs(), { [Symbol.asyncDispose]: async () => {} })
    const start = async (more: Partial<RegistryOptions>): Promise<OpenDoor> =>
      open({
        storage: { metadata: await sqliteMetadata({ path: join(directory, 'registry.db') }), blobs },
        accounts: { secret, firstAdministrator: boss },
        ...more,
      })
    const as = (door: OpenDoor): Pick<OpenDoor, 'send'> => ({
      send: async (method, target, sent = {}) =>
        door.send(method, target, { ...sent, headers: { authorization, ...sent.headers } }),
    })
    let upload = ''
    {
      await using door = await start({})
      const send = as(door)
      await sample.pushImage(send, 'a', 'kept', image)
      await sample.pushImage(send, 'a', child.digest, child)
      await send.send('PUT', '/v2/a/manifests/index', { body: index, headers: { 'content-type': indexType } })
      await sample.pushImage(send, 'a', 'loose', sample.image('loose'))
      await sample.pushBlob(send, 'a', bytes('unused'))
      await sample.pushBlob(send, 'b', bytes('to be mounted'))
      for (const blob of [other.config, other.layer]) await sample.pushBlob(send, 'a', blob.bytes)
      upload = (await send.send('POST', '/v2/a/blobs/uploads/')).header('location') ?? ''
      await send.send('PATCH', upload, { body: 'data' })
    }
    const door = opened.use(await start({ policies }))
    const { send } = as(door)
    const rest = opened.move()
    return {
      send,
      upload,
      state: async () => [
        (await send('GET', '/v2/a/tags/list')).json(),
        (await send('HEAD', '/v2/a/manifests/kept')).header('docker-content-digest'),
        (await send('HEAD', '/v2/a/manifests/index')).header('docker-content-digest'),
        (await send('GET', `/v2/a/manifests/${child.digest}`)).status,
        (await send('GET', `/v2/a/blobs/${image.layer.digest}`)).status,
        (await send('GET', `/v2/a/blobs/${sha256(bytes('unused'))}`)).status,
        (await send('GET', '/v2/_catalog')).json(),
      ],
      [Symbol.asyncDispose]: async () => rest.disposeAsync(),
    }
  }

  const manifest = (target: string, pushed = other): [string, string, object] => [
    'PUT',
    target,
    { body: pushed.manifest, headers: { 'content-type': pushed.mediaType } },
  ]
  const deletions: [string, string, object][] = [
    ['DELETE', '/v2/a/manifests/loose', {}],
    ['DELETE', '/v2/a/manifests/kept', {}],
    ['DELETE', `/v2/a/manifests/${image.digest}`, {}],
    ['DELETE', `/v2/a/manifests/${child.digest}`, {}],
    ['DELETE', `/v2/a/blobs/${sha256(bytes('unused'))}`, {}],
    ['DELETE', `/v2/a/blobs/${image.layer.digest}`, {}],
    // What is not there tells nothing either.
    ['DELETE', '/v2/a/manifests/none', {}],
    ['DELETE', `/v2/nowhere/manifests/${image.digest}`, {}],
  ]

  it('CVE-2026-41888: nothing changes in a registry that is read-only', async () => {
    await using registry = await withPolicies({ readOnly: true })
    const before = await registry.state()
    const whole = `digest=${sha256(bytes('whole'))}`
    const requests: [string, string, object][] = [
      manifest('/v2/a/manifests/new'),
      manifest('/v2/a/manifests/kept'),
      manifest(`/v2/a/manifests/${other.digest}`),
      manifest(`/v2/a/manifests/${other.digest}?tag=new`),
      manifest(`/v2/a/manifests/${other.digest}?tag=new&tag=kept`),
      manifest('/v2/new/manifests/new'),
      ['POST', '/v2/a/blobs/uploads/', {}],
      ['POST', `/v2/a/blobs/uploads/?${whole}`, { body: 'whole' }],
      ['POST', `/v2/a/blobs/uploads/?mount=${sha256(bytes('to be mounted'))}&from=b`, {}],
      ['POST', `/v2/a/blobs/uploads/?mount=${sha256(bytes('to be mounted'))}`, {}],
      ['PATCH', registry.upload, { body: 'more' }],
      ['PUT', `${registry.upload}?digest=${sha256(bytes('data'))}`, {}],
      ['DELETE', registry.upload, {}],
      ...deletions,
    ]
    for (const [method, target, sent] of requests) {
      const answer = await registry.send(method, target, sent)
      expect([method, target, code(answer)]).toEqual([method, target, '405 UNSUPPORTED'])
      expect(answer.header('allow')).not.toBe(null)
    }
    expect(await registry.state()).toEqual(before)
    expect((await registry.send('GET', '/v2/a/manifests/kept')).status).toBe(200)
  })

  it('CVE-2026-41888: nothing is deleted, by tag or by digest, where deletion is disabled', async () => {
    await using registry = await withPolicies({ deletion: false })
    const before = await registry.state()
    for (const [method, target, sent] of deletions) {
      const answer = await registry.send(method, target, sent)
      expect([method, target, code(answer)]).toEqual([method, target, '405 UNSUPPORTED'])
    }
    expect(await registry.state()).toEqual(before)
    // What nobody has seen yet may be given up.
    expect((await registry.send('DELETE', registry.upload)).status).toBe(204)
    expect((await registry.send(...manifest('/v2/a/manifests/new'))).status).toBe(201)
  })

  it('T7b, PROJQUAY-10504: an immutable tag keeps what it names, by whatever way it is to be lost', async () => {
    await using registry = await withPolicies({
      immutableTags: [
        { repositories: 'a', tags: 'kep*' },
        { repositories: '*', tags: 'index' },
      ],
    })
    const before = await registry.state()
    const requests: [string, string, object][] = [
      manifest('/v2/a/manifests/kept'),
      manifest(`/v2/a/manifests/${other.digest}?tag=kept`),
      manifest(`/v2/a/manifests/${other.digest}?tag=new&tag=kept`),
      ['DELETE', '/v2/a/manifests/kept', {}],
      ['DELETE', `/v2/a/manifests/${image.digest}`, {}],
      ['DELETE', '/v2/a/manifests/index', {}],
      ['DELETE', `/v2/a/manifests/${sha256(bytes(index))}`, {}],
      // A child of an index that is held.
      ['DELETE', `/v2/a/manifests/${child.digest}`, {}],
      ['DELETE', `/v2/a/blobs/${image.layer.digest}`, {}],
      ['DELETE', `/v2/a/blobs/${image.config.digest}`, {}],
      ['DELETE', `/v2/a/blobs/${child.layer.digest}`, {}],
    ]
    for (const [method, target, sent] of requests) {
      const answer = await registry.send(method, target, sent)
      expect([method, target, answer.status]).toEqual([
        method,
        target,
        target.includes('/blobs/') ? expect.toBeOneOf([403, 405]) : 403,
      ])
    }
    expect(await registry.state()).toEqual(before)
    // The same again moves nothing, and other tags can be moved and deleted as ever.
    expect((await registry.send(...manifest('/v2/a/manifests/kept', image))).status).toBe(201)
    expect((await registry.send(...manifest('/v2/a/manifests/loose'))).status).toBe(201)
    expect((await registry.send('DELETE', '/v2/a/manifests/loose')).status).toBe(202)
    // A second tag of an image that is held is no way to it either.
    expect((await registry.send(...manifest('/v2/a/manifests/second', image))).status).toBe(201)
    expect((await registry.send('DELETE', `/v2/a/manifests/${image.digest}`)).status).toBe(403)
    expect((await registry.send('DELETE', '/v2/a/manifests/second')).status).toBe(202)
    expect((await registry.send('HEAD', '/v2/a/manifests/kept')).header('docker-content-digest')).toBe(image.digest)
  })

  it('T7: a quota holds on every way in, also for who announces no size', async () => {
    await using registry = await withPolicies({ quotas: [{ repositories: 'q', bytes: 100 }] })
    const large = 'x'.repeat(101)
    const digest = sha256(bytes(large))
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes(large.slice(0, 60))
      yield bytes(large.slice(60))
    }
    const refused = [
      await registry.send('POST', `/v2/q/blobs/uploads/?digest=${digest}`, { body: large }),
      await registry.send('POST', `/v2/q/blobs/uploads/?digest=${digest}`, { body: pieces() }),
    ]
    await sample.pushBlob({ send: registry.send }, 'b', bytes(large))
    refused.push(await registry.send('POST', `/v2/q/blobs/uploads/?mount=${digest}&from=b`))
    const manifests = JSON.stringify({ schemaVersion: 2, manifests: [], annotations: { large } })
    const headers = { 'content-type': indexType }
    refused.push(await registry.send('PUT', '/v2/q/manifests/large', { body: manifests, headers }))
    const upload = (await registry.send('POST', '/v2/q/blobs/uploads/')).header('location') ?? ''
    const patched = await registry.send('PATCH', upload, { body: large })
    if (patched.status === 202) refused.push(await registry.send('PUT', `${upload}?digest=${digest}`))
    else refused.push(patched)
    expect(refused.map(code)).toEqual(Array(5).fill('403 DENIED'))
    expect((await registry.send('GET', `/v2/q/blobs/${digest}`)).status).toBe(404)
  })
})
