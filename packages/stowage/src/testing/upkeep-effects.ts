import { setTimeout as sleep } from 'node:timers/promises'
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { askUpkeepServer } from '../admin/client.ts'
import type { upkeepSettings } from '../config/upkeep-settings.ts'
import type { ServeOptions } from '../serve.ts'
import { digestOf, pushBlob } from './push.ts'
import { serveForTest, type TestServing } from './serve-for-test.ts'
import { blobFile, pushImage } from './upkeep-worlds.ts'

/** The settings of upkeep, each with a proof that it does something. Part of the table in `settings-effects.test.ts`. */

const there = async ({ url }: TestServing, content: string): Promise<boolean> =>
  (await fetch(`${url}/v2/team/app/blobs/${digestOf(content)}`, { method: 'HEAD' })).status === 200

const tags = async ({ url }: TestServing): Promise<string[]> =>
  ((await (await fetch(`${url}/v2/team/app/tags/list`)).json()) as { tags: string[] }).tags

/** Longer than it takes for what happens by itself in the tests below. Milliseconds. */
const aWhile = 1000

const withUnused = async (options: ServeOptions): Promise<TestServing> => {
  const started = await serveForTest(options)
  await pushBlob(started.url, 'team/app', 'unused')
  return started
}

const withTags = async (retention: NonNullable<ServeOptions['retention']>): Promise<TestServing> => {
  const started = await serveForTest({ retention })
  await pushImage(started.url, 'team/app', 'v1', 'first')
  await pushImage(started.url, 'team/app', 'v2', 'second')
  return started
}

const newest = [{ repositories: 'team/*', keep: { newest: 1 } }] as const

const collected = async (grace: number | string): Promise<number | undefined> => {
  await using started = await withUnused({ garbage: { every: 0, grace } })
  const answer = await askUpkeepServer(started.data, 'garbage', { trustClock: true })
  return answer !== undefined && 'value' in answer ? answer.value.blobs : undefined
}

const restorable = async (restoreFor: string): Promise<number | undefined> => {
  await using started = await withTags({ every: 0, restoreFor, rules: newest })
  await askUpkeepServer(started.data, 'retention', { trustClock: true })
  const answer = await askUpkeepServer(started.data, 'removed-tags', {})
  const [removed] = answer !== undefined && 'value' in answer ? answer.value.tags : []
  return removed && removed.restoreUntil - removed.removedAt
}

const tagsLeft = async (rules: NonNullable<ServeOptions['retention']>['rules']): Promise<string[]> => {
  await using started = await withTags({ every: 0, rules })
  await askUpkeepServer(started.data, 'retention', { trustClock: true })
  return await tags(started)
}

const withSpoiled = async (every: string | number): Promise<TestServing> => {
  const started = await serveForTest({ scrub: { every, rate: 0 } })
  await pushImage(started.url, 'team/app', 'v1', 'first')
  writeFileSync(await blobFile(started.data, 'first'), 'fi?st')
  return started
}

/** Whether a scrub of some KiB is over after a while. */
const isScrubbed = async (rate: string | number): Promise<boolean> => {
  await using started = await serveForTest({ scrub: { rate } })
  for (const letter of 'abcd') await pushImage(started.url, 'team/app', letter, letter.repeat(1024))
  const abort = new AbortController()
  const scrubbed = askUpkeepServer(started.data, 'scrub', {}, abort.signal)
  const outcome = await Promise.race([scrubbed.then(() => true), sleep(aWhile, false)])
  abort.abort()
  await scrubbed.catch(() => {})
  return outcome
}

export const upkeepEffects: { readonly [K in keyof typeof upkeepSettings]: () => Promise<void> } = {
  'garbage.every': async () => {
    await using often = await withUnused({ garbage: { every: '100ms', grace: 0 } })
    // Not asked for: that would be a sign that somebody counts on it.
    await expect
      .poll(() => often.log.map(({ message }) => message), { timeout: 10_000 })
      .toContain('garbage was collected')
    expect(await there(often, 'unused')).toBe(false)
    await using never = await withUnused({ garbage: { every: 0, grace: 0 } })
    await sleep(aWhile)
    expect(await there(never, 'unused')).toBe(true)
  },

  'garbage.grace': async () => {
    expect(await collected('24h')).toBe(0)
    expect(await collected(0)).toBe(1)
  },

  'retention.every': async () => {
    await using often = await withTags({ every: '100ms', restoreFor: 0, rules: newest })
    await expect.poll(async () => tags(often), { timeout: 10_000 }).toEqual(['v2'])
    await using never = await withTags({ every: 0, restoreFor: 0, rules: newest })
    await sleep(aWhile)
    expect(await tags(never)).toEqual(['v1', 'v2'])
  },

  'retention.restoreFor': async () => {
    expect(await restorable('1h')).toBe(3_600_000)
    expect(await restorable('2d')).toBe(172_800_000)
  },

  'retention.rules': async () => {
    expect(await tagsLeft(undefined)).toEqual(['v1', 'v2'])
    expect(await tagsLeft(newest)).toEqual(['v2'])
    expect(await tagsLeft([{ repositories: '*', keep: { matching: ['v1'] } }])).toEqual(['v1'])
    expect(await tagsLeft([{ repositories: '*', keep: { youngerThan: '1h' } }])).toEqual(['v1', 'v2'])
  },

  'scrub.every': async () => {
    await using often = await withSpoiled('100ms')
    await expect.poll(async () => there(often, 'first'), { timeout: 10_000 }).toBe(false)
    await using never = await withSpoiled(0)
    await sleep(aWhile)
    expect(await there(never, 'first')).toBe(true)
  },

  'scrub.rate': async () => {
    expect(await isScrubbed(0)).toBe(true)
    expect(await isScrubbed(100)).toBe(false)
  },
}
