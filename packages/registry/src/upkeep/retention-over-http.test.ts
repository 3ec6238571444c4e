import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RegistryEvent } from '../metadata/event.ts'

const day = 86_400_000

describe.each(doors)('retention, through $name', ({ open }) => {
  let directory: string
  let door: OpenDoor
  let now: number
  let events: RegistryEvent[]

  const old = sample.image('old')
  const current = sample.image('current')

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-retention-'))
    now = 1_700_000_000_000
    events = []
    door = await open({
      storage: join(directory, 'data'),
      now: () => now,
      upkeep: {
        garbage: { grace: 24 * 3600 },
        retention: { restoreFor: 7 * 24 * 3600, rules: [{ repositories: 'team/*', keep: { newest: 1 } }] },
      },
      policies: { immutableTags: [{ repositories: '*', tags: 'v*' }] },
      hooks: { receivers: { here: async (event) => void events.push(event) } },
    })
    await sample.pushImage(door, 'team/app', 'old', old)
    now += 1000
    await sample.pushImage(door, 'team/app', 'new', current)
  })

  afterEach(async () => {
    await door[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })

  const status = async (target: string): Promise<number> => (await door.send('GET', `/v2/team/app/${target}`)).status

  const apply = async () => door.registry.upkeep.applyRetention({ trustClock: true })

  it('takes a tag, then what it named, then the bytes, each when its time is over', async () => {
    const { upkeep } = door.registry
    expect(await apply()).toMatchObject({ tags: 1, manifests: 0 })
    expect(await status('manifests/old')).toBe(404)
    expect(await status('manifests/new')).toBe(200)
    expect(await status(`manifests/${old.digest}`)).toBe(200)
    expect(await status(`blobs/${old.layer.digest}`)).toBe(200)

    now += 7 * day + 1
    expect(await apply()).toMatchObject({ tags: 0, manifests: 1 })
    expect(await status(`manifests/${old.digest}`)).toBe(404)
    // The grace of the blobs has only begun.
    expect(await upkeep.collectGarbage({ trustClock: true })).toMatchObject({ links: 0 })
    expect(await status(`blobs/${old.layer.digest}`)).toBe(200)

    now += day + 1
    expect(await upkeep.collectGarbage({ trustClock: true })).toMatchObject({ links: 2, blobs: 2 })
    expect(await status(`blobs/${old.layer.digest}`)).toBe(404)
    expect(await status('manifests/new')).toBe(200)
    expect(await status(`blobs/${current.layer.digest}`)).toBe(200)
  })

  it('gives a tag back, and tells receivers of both', async () => {
    await apply()
    const [removed] = await door.registry.upkeep.listRemovedTags()
    expect(await door.registry.upkeep.restoreTag({ id: removed?.id ?? 0, as: 'kept' })).toMatchObject({
      outcome: 'restored',
      tag: 'kept',
    })
    expect(await status('manifests/kept')).toBe(200)
    expect(await status('manifests/old')).toBe(404)
    await expect
      .poll(() => events.filter(({ actor }) => actor === 'stowage:retention').map(({ type }) => type))
      .toEqual(['tag.deleted', 'tag.set'])
  })

  it('leaves an immutable tag, however old', async () => {
    await sample.pushImage(door, 'team/app', 'v1', old)
    now += 100 * day
    await sample.pushImage(door, 'team/app', 'new', current)
    expect(await apply()).toMatchObject({ tags: 1 })
    expect((await door.send('GET', '/v2/team/app/tags/list')).json()).toMatchObject({ tags: ['new', 'v1'] })
  })

  it('forgets what could be restored when its manifest is deleted', async () => {
    await apply()
    expect((await door.send('DELETE', `/v2/team/app/manifests/${old.digest}`)).status).toBe(202)
    expect(await door.registry.upkeep.listRemovedTags()).toEqual([])
  })
})
