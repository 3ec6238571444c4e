import type { MetadataStore } from '@stowage/registry'
import { createRandom } from '../random.ts'
import { createVersions, type Entry, type Expectation, isStricter, type Segment } from './history.ts'
import { type Image, keyOf } from './image.ts'
import { look, recover } from './judge.ts'
import { createPlatter } from './platter.ts'
import { preparedImage } from './prepared-image.ts'
import { replay, type Write } from './recorded-metadata.ts'
import type { Scenario } from './scenario.ts'
import { createWorld, type Without } from './world.ts'

export interface ExploreOptions {
  readonly seed: number
  /** Disks to try at a cut with too many pending changes to try them all. */
  readonly limit: number
  /** Recovery is gone through for one state in so many. */
  readonly recoverEvery: number
  readonly without?: Without
  /** Stops at so many failures. */
  readonly mostFailures?: number
  readonly signal?: AbortSignal
}

export interface Explored {
  /** Moments at which the power was cut. */
  readonly cuts: number
  /** States that a cut could have left. */
  readonly states: number
  /** Of those that were not the same, how many a registry was started on. */
  readonly starts: number
  /** Of those, on how many everything was made whole again. */
  readonly recoveries: number
  readonly failures: readonly string[]
}

const alikeLimit = 12

/** Runs a scenario once, then cuts the power at every moment of it and looks at everything that may be left. */
export const explore = async (scenario: Scenario, options: ExploreOptions): Promise<Explored> => {
  const { seed, without } = options
  const tally = { cuts: 0, states: 0, starts: 0, recoveries: 0, failures: [] as string[] }
  const world = await createWorld({
    random: createRandom(seed).fork(scenario.name),
    without,
    mostAtOnce: scenario.mostAtOnce,
    ...(scenario.emptyDisk !== true && { image: await preparedImage() }),
  })
  try {
    await scenario.run(world)
  } catch (error) {
    tally.failures.push(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await world[Symbol.asyncDispose]()
  }
  const limit = scenario.alike === true ? Math.min(options.limit, alikeLimit) : options.limit
  for (const segment of world.segments) await exploreSegment(scenario.name, segment, { ...options, limit }, tally)
  return tally
}

type Tally = { -readonly [Key in keyof Omit<Explored, 'failures'>]: number } & { readonly failures: string[] }

const exploreSegment = async (name: string, segment: Segment, options: ExploreOptions, tally: Tally): Promise<void> => {
  const { limit, recoverEvery, mostFailures = 20, signal } = options
  const random = createRandom(options.seed).fork(`${name} cuts`)
  const platter = createPlatter(segment.image)
  const versions = createVersions(segment.writes)
  const expectations = new Map<string, Expectation>(segment.expectations)
  const stores = new Map<number, Promise<MetadataStore>>()
  const seen = new Set<string>()
  let strictness = 0
  let happened = 'nothing'

  const storeOf = async (version: number): Promise<MetadataStore> => {
    let store = stores.get(version)
    if (store === undefined) {
      store = replay(versions.writes.slice(0, version))
      stores.set(version, store)
    }
    return store
  }

  const judge = async (image: Image, version: number): Promise<void> => {
    const key = `${keyOf(image)} ${version} ${strictness}`
    if (seen.has(key)) return
    seen.add(key)
    tally.starts += 1
    const state = { image, expectations, at: segment.startedAt }
    const writes: readonly Write[] = versions.writes.slice(0, version)
    const tried = tally.starts % recoverEvery === 0
    const problems = await look(state, await storeOf(version)).catch(told)
    if (tried && problems.length === 0) {
      tally.recoveries += 1
      problems.push(...(await recover(state, writes).catch(told)))
    }
    for (const problem of problems) {
      tally.failures.push(`${name}, cut after ${happened} (${tally.cuts}, ${version} writes): ${problem}`)
    }
  }

  const cut = async (): Promise<void> => {
    tally.cuts += 1
    for (const image of platter.survivors(random, limit)) {
      for (const version of versions.possible()) {
        tally.states += 1
        await judge(image, version)
      }
    }
  }

  try {
    await cut()
    for (const entry of segment.log) {
      signal?.throwIfAborted()
      if (entry.kind === 'disk') platter.apply(entry.event)
      versions.apply(entry)
      if (entry.kind === 'expected') {
        expectations.set(entry.key, entry.expectation)
        if (isStricter(entry)) strictness += 1
      }
      happened = nameOf(entry)
      // What an fsync has begun with it may or may not have done, as if it had not begun.
      if (happened !== 'sync-begin') await cut()
      if (tally.failures.length >= mostFailures) return
    }
  } finally {
    for (const store of stores.values()) await (await store)[Symbol.asyncDispose]()
  }
}

const told = (error: unknown): string[] => [error instanceof Error ? (error.stack ?? error.message) : String(error)]

const nameOf = (entry: Entry): string => {
  switch (entry.kind) {
    case 'disk':
      return entry.event.kind
    case 'submitted':
      return entry.write.method
    case 'settled':
      return 'a commit'
    case 'expected':
      return 'an answer'
  }
}
