import { afterEach, beforeEach, expect, it } from 'vitest'
import { MetadataError } from '../metadata/metadata-error.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import { sqliteMetadata } from '../metadata/sqlite/sqlite-metadata.ts'
import { clockDoubt } from './clock-doubt.ts'
import { createClock } from './clock.ts'

const hour = 3_600_000
const day = 24 * hour

let metadata: MetadataStore
let steady: number
let at: number

beforeEach(async () => {
  metadata = await sqliteMetadata({ path: ':memory:' })
  at = 100 * day
  steady = 0
})
afterEach(() => metadata[Symbol.asyncDispose]())

/** What a process does that begins now. */
const start = () => createClock({ now: () => at, monotonic: () => steady, tolerance: hour })

const ask = async (clock = start(), more: { trusted?: boolean; dryRun?: boolean } = {}) =>
  clockDoubt({
    clock,
    store: metadata.upkeep,
    name: 'garbage',
    grace: day,
    trusted: false,
    dryRun: false,
    at,
    ...more,
  })

const state = async () => metadata.upkeep.readState('garbage')

it('keeps when the clock was believed, for the process after this one', async () => {
  const clock = start()
  at += hour
  steady += hour
  expect(await ask(clock)).toBeUndefined()
  expect(await state()).toBe(JSON.stringify({ at }))
  at += hour
  expect(await ask()).toBeUndefined()
  at += hour + 1
  expect(await ask()).toContain('far from where it was')
})

it('keeps a doubt for the process after this one, even if the clock comes back meanwhile', async () => {
  await ask(start(), { trusted: true })
  at += 2 * day
  expect(await ask()).toContain('far from')
  at -= 2 * day
  expect(await ask()).toContain('No run before')
})

it('does not ask who is to trust the clock, and keeps that', async () => {
  expect(await ask()).toContain('No run before')
  expect(await ask(start(), { trusted: true })).toBeUndefined()
  expect(await ask()).toBeUndefined()
})

it('keeps nothing of a dry run', async () => {
  expect(await ask(start(), { dryRun: true })).toContain('No run before')
  expect(await ask(start(), { dryRun: true, trusted: true })).toBeUndefined()
  expect(await state()).toBeUndefined()
})

it('goes on when there is no room to keep it', async () => {
  const full = async () => Promise.reject(new MetadataError('STORAGE_FULL', 'full'))
  const question = { clock: start(), name: 'garbage', grace: day, trusted: true, dryRun: false, at } as const
  expect(await clockDoubt({ ...question, store: { ...metadata.upkeep, writeState: full } })).toBeUndefined()
  const broken = async () => Promise.reject(new Error('broken'))
  await expect(clockDoubt({ ...question, store: { ...metadata.upkeep, writeState: broken } })).rejects.toThrow('broken')
})
