import {
  challenge,
  fail,
  redirectEndlessly,
  redirectTo,
  redirectToItself,
  redirectToTrap,
  redirectWithUserinfo,
  sample as samples,
  setHeader,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import type { Credential } from '../credentials/credential.ts'
import { startRig } from '../testing/misbehaving.ts'
import { sample } from '../testing/sample-images.ts'

const password = 's3cret/+ word'
const alice: Credential = { kind: 'password', username: 'alice', password }
const client = { credentials: () => alice }

describe('where a registry leads', () => {
  it.each([
    ['itself', redirectToItself(), 'invalid-response'],
    ['ever new places', redirectEndlessly(), 'invalid-response'],
    ['credentials', redirectWithUserinfo(), 'refused'],
    ['a file', redirectTo('file:///etc/passwd'), 'refused'],
    ['a script', redirectTo('javascript:alert(1)'), 'refused'],
    ['nowhere', redirectTo('http://[::1'), 'invalid-response'],
  ] as const)('is not gone to %s', async (_, behaviour, code) => {
    await using rig = await startRig({ client })
    rig.server.on({}, behaviour)
    const { descriptor } = sample('a/b', 'x')
    for (const call of [
      async () => rig.repository.resolve('v1'),
      async () => rig.repository.hasBlob(descriptor),
      async () => collect(rig.repository.getBlob(descriptor)),
      async () => collect(rig.repository.tags()),
      async () => rig.client.registry(rig.server.host).ping(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code })
    }
    expect(rig.traces.length).toBeLessThanOrEqual(30)
  })

  it('a caller’s own authorization is not taken along', async () => {
    await using rig = await startRig()
    await samples.pushImage(rig.server, 'test/app', 'v1', samples.image('one'))
    rig.server.on({ path: /manifests/ }, redirectToTrap())
    const answer = await rig.client.transport.call({
      registry: rig.server.host,
      repository: undefined,
      scopes: [],
      method: 'GET',
      target: '/v2/test/app/manifests/v1',
      headers: { authorization: 'Bearer own', cookie: 'a=b', 'x-own': 'c' },
      expect: [200],
      subject: 'a test',
    })
    expect(answer.url).toContain(rig.server.trap.url)
    await answer.discard()
    expect(rig.server.seen({ origin: 'trap' })[0]?.headers).not.toHaveProperty('x-own')
  })

  it('is no other answer for a 401 without end', async () => {
    await using rig = await startRig({ client })
    rig.server.on({}, challenge('Basic realm="again"'))
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    expect(rig.traces).toHaveLength(2)
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
    expect(rig.traces.length).toBeLessThanOrEqual(4)
  })

  it('does not change by what a header says of its length', async () => {
    await using rig = await startRig({ client })
    rig.server.on({}, setHeader('www-authenticate', 'x'.repeat(10_000)))
    rig.server.on({}, fail(401))
    await expect(rig.repository.resolve('v1')).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
