import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenDoor, doors, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PullCount, RegistryEvent } from '../metadata/event.ts'

const [fetchDoor] = doors
const image = sample.image('told')

describe('events', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-events-'))
  })
  afterEach(async () => rm(directory, { recursive: true, force: true }))

  const open = async (
    receivers: Record<string, (event: RegistryEvent) => void | Promise<void>>,
    pulled?: (pulls: readonly PullCount[]) => void,
  ): Promise<OpenDoor> => {
    if (fetchDoor === undefined) throw new Error('the test kit has no door')
    return fetchDoor.open({ storage: directory, hooks: { receivers, ...(pulled === undefined ? {} : { pulled }) } })
  }

  it('tells every change once, in order, with who made it', async () => {
    const told: RegistryEvent[] = []
    await using door = await open({ log: (event) => void told.push(event) })
    await sample.pushImage(door, 'a', 'v1', image)
    await door.send('POST', `/v2/b/blobs/uploads/?mount=${image.layer.digest}&from=a`)
    await sample.pushImage(door, 'a', 'v1', sample.image('next'))
    await door.send('DELETE', '/v2/a/manifests/v1')
    await door.send('DELETE', `/v2/a/manifests/${image.digest}`)
    await door.send('DELETE', `/v2/b/blobs/${image.layer.digest}`)
    await expect.poll(() => told.length).toBe(12)
    expect(told.map(({ type }) => type)).toEqual([
      'blob.pushed',
      'blob.pushed',
      'manifest.pushed',
      'tag.set',
      'blob.mounted',
      'blob.pushed',
      'blob.pushed',
      'manifest.pushed',
      'tag.set',
      'tag.deleted',
      'manifest.deleted',
      'blob.deleted',
    ])
    expect(told[8]).toMatchObject({ tag: 'v1', previous: image.digest, actor: 'anonymous', repository: 'a' })
    const sequences = told.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(new Set(sequences).size).toBe(12)
  })

  it('lets a receiver that fails hold up nobody but itself, and brings it everything in the end', async () => {
    const good: number[] = []
    const bad: number[] = []
    let broken = true
    await using door = await open({
      good: ({ sequence }) => void good.push(sequence),
      bad: ({ sequence }) => {
        if (broken) throw new Error('not now')
        bad.push(sequence)
      },
    })
    await sample.pushImage(door, 'a', 'v1', image)
    await expect.poll(() => good.length).toBe(4)
    expect(bad).toEqual([])
    broken = false
    await expect.poll(() => bad, { timeout: 10_000 }).toEqual(good)
  })

  it('goes on after a restart where each receiver stood', async () => {
    const first: RegistryEvent[] = []
    {
      await using door = await open({
        log: (event) => void first.push(event),
        slow: () => Promise.reject(new Error('down')),
      })
      await sample.pushImage(door, 'a', 'v1', image)
      await expect.poll(() => first.length).toBe(4)
    }
    const again: RegistryEvent[] = []
    const slow: RegistryEvent[] = []
    await using door = await open({ log: (event) => void again.push(event), slow: (event) => void slow.push(event) })
    await sample.pushBlob(door, 'a', Buffer.from('after'))
    await expect.poll(() => slow.length).toBe(5)
    expect(again.map(({ type }) => type)).toEqual(['blob.pushed'])
  })

  it('does not tell of what failed', async () => {
    const told: RegistryEvent[] = []
    await using door = await open({ log: (event) => void told.push(event) })
    await expect(sample.pushImage(door, 'A', 'v1', image)).rejects.toThrow('400')
    const answer = await door.send('PUT', '/v2/a/manifests/v1', {
      body: image.manifest,
      headers: { 'content-type': image.mediaType },
    })
    expect(answer.status).toBe(400)
    await sample.pushBlob(door, 'a', Buffer.from('only this'))
    await expect.poll(() => told.length).toBe(1)
    expect(told[0]?.type).toBe('blob.pushed')
  })

  it('gathers pulls and hands them on together', async () => {
    const batches: (readonly PullCount[])[] = []
    await using door = await open({}, (pulls) => void batches.push(pulls))
    await sample.pushImage(door, 'a', 'v1', image)
    for (let at = 0; at < 5; at++) {
      await door.send('GET', '/v2/a/manifests/v1')
      await door.send('HEAD', '/v2/a/manifests/v1')
    }
    await door.send('GET', `/v2/a/manifests/${image.digest}`)
    expect(batches).toEqual([])
    await door.registry.sweep()
    expect(batches).toHaveLength(1)
    expect(batches[0]?.map(({ repository, tag, count }) => [repository, tag, count])).toEqual([
      ['a', 'v1', 5],
      ['a', undefined, 1],
    ])
  })
})
