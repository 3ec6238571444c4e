import { isDeepStrictEqual } from 'node:util'
import { createRegistry, type Registry } from '@stowage/registry'
import type { Pool } from './contents.ts'
import { createDriver } from './driver.ts'
import type { Answer } from './answer.ts'
import { createModel } from './model.ts'
import type { Operation } from './operation.ts'

/** Where the registry and the model no longer agree. */
export interface Difference {
  /** Of the operation in its sequence. */
  readonly at: number
  readonly expected: Answer
  readonly got: Answer | string
}

export interface Storage {
  /** `:memory:`, or a directory that is empty. */
  readonly place: string
  /** Whether there is garbage collection and a scrub. */
  readonly upkeep: boolean
}

/** Milliseconds that pass with each operation: nothing may depend on two of them being at the same time. */
const step = 1000
/** What superseded bytes stay for, and a little more. */
const sweepStep = 61_000

/** An open registry whose clock goes on when it is told. */
export interface Clocked extends AsyncDisposable {
  readonly registry: () => Registry
  tick(milliseconds: number): void
  restart(): Promise<void>
}

export const openClocked = async (place: string): Promise<Clocked> => {
  let now = Date.UTC(2024, 1, 29)
  const open = async (): Promise<Registry> =>
    createRegistry({ storage: place, now: () => now, uploads: { expireAfter: 86_400 } })
  let registry = await open()
  return {
    registry: () => registry,
    tick: (milliseconds) => {
      now += milliseconds
    },
    restart: async () => {
      if (place === ':memory:') return
      await registry[Symbol.asyncDispose]()
      registry = await open()
    },
    [Symbol.asyncDispose]: async () => registry[Symbol.asyncDispose](),
  }
}

/**
 * Carries a sequence out on an empty registry and on the model.
 *
 * @param reached Told what was done and how it was answered, where both agree.
 * @returns the first difference, if there is one.
 */
export const runSequence = async (
  sequence: readonly Operation[],
  pool: Pool,
  { place, upkeep }: Storage,
  reached: (what: string) => void = () => {},
): Promise<Difference | undefined> => {
  await using clocked = await openClocked(place)
  const model = createModel(pool)
  const driver = createDriver(clocked.registry, pool, clocked.restart)
  for (const [at, operation] of sequence.entries()) {
    if (!upkeep && (operation.do === 'trash' || operation.do === 'scrub')) continue
    clocked.tick(operation.do === 'sweep' ? sweepStep : step)
    const expected = defined(model.answer(operation))
    let got: Answer
    try {
      got = defined(await driver.answer(operation))
    } catch (error) {
      return { at, expected, got: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
    if (!isDeepStrictEqual(got, expected)) return { at, expected, got }
    reached(`${operation.do} ${got.status}`)
  }
  return undefined
}

export const defined = (answer: Answer): Answer =>
  Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined)) as unknown as Answer

/** Whether the registry has garbage collection and a scrub. */
export const hasUpkeep = async (): Promise<boolean> => {
  await using registry = await createRegistry({ storage: ':memory:' })
  try {
    await registry.upkeep.collectGarbage({ grace: 0, trustClock: true })
    await registry.upkeep.scrub({ rate: 0, fromStart: true })
    return true
  } catch {
    return false
  }
}
