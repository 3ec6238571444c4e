import { createTestRegistry } from '@stowage/testkit'
import { expect, it } from 'vitest'
import { createClient } from '../client.ts'
import { platformIndex } from '../testing/contract/contract.ts'
import { putSample } from '../testing/sample-images.ts'
import { sync } from './sync.ts'

it('a sync makes a sparse index whole, and asks for the children of one that is', async () => {
  await using one = await createTestRegistry()
  await using two = await createTestRegistry()
  const hosts = { [one.host]: { plainHttp: true }, [two.host]: { plainHttp: true } }
  const asked: string[] = []
  await using client = createClient({ hosts, onTrace: ({ method, url }) => void asked.push(`${method} ${url}`) })
  const { index, images } = platformIndex('linux/amd64', 'linux/arm64')
  await putSample(client.repository(`${one.host}/app`), index, 'v1', 'v2', 'v3')
  const [from, to] = [`${one.host}/app:v1`, `${two.host}/app`]
  await client.copy(from, `${to}:v1`, { platforms: ['linux/amd64'], index: 'sparse' }).result
  expect(await sync(client, { from, to }).result).toMatchObject({ copied: 1, existing: 0 })
  for (const { descriptor } of images) expect(await client.repository(to).hasManifest(descriptor)).toBe(true)
  expect(await sync(client, { from, to }).result).toMatchObject({ copied: 0, existing: 1 })

  const tags = ['v1', 'v2', 'v3']
  const all = { from: `${one.host}/app`, to, tags }
  await sync(client, all).result
  asked.length = 0
  expect(await sync(client, all).result).toMatchObject({ copied: 0, existing: 3 })
  for (const { descriptor } of images) {
    expect(asked.filter((request) => request.includes(descriptor.digest))).toHaveLength(1)
  }
})

it('a sync is not told by a mirror of the target what that has', async () => {
  await using mirror = await createTestRegistry()
  await using one = await createTestRegistry()
  await using two = await createTestRegistry()
  const plain = { plainHttp: true }
  const hosts = { [mirror.host]: plain, [one.host]: plain, [two.host]: { ...plain, mirrors: [mirror.host] } }
  await using client = createClient({ hosts })
  const { index } = platformIndex('linux/amd64')
  for (const { host } of [mirror, one]) await putSample(client.repository(`${host}/app`), index, 'v1')
  for (const keepOld of [true, false]) {
    const options = { from: `${one.host}/app:v1`, to: `${two.host}/${keepOld}/app`, keepOld }
    await putSample(client.repository(`${mirror.host}/${keepOld}/app`), index, 'v1')
    expect(await sync(client, options).result).toMatchObject({ copied: 1, existing: 0 })
  }
})

it('a sync with platforms that are none is not begun', async () => {
  await using client = createClient()
  const options = { from: 'memory:a', to: 'memory:b', platforms: ['linux'] }
  expect(() => sync(client, options)).toThrow(expect.objectContaining({ code: 'usage' }))
})
