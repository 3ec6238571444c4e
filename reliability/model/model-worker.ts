import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createRandom, type Random } from '../random.ts'
import { makeAtomic } from './atomic-operation.ts'
import { createPool, type Pool } from './contents.ts'
import { makeSequence, type Operation } from './operation.ts'
import { type Parallel, runParallel } from './run-parallel.ts'
import { runSequence } from './run-sequence.ts'
import { shrink } from './shrink.ts'
import type { ModelMessage, ModelTask } from './task.ts'

const task = workerData as ModelTask
const random = createRandom(task.seed)
const light = createPool(false)
const heavy = createPool(true)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
const say = (message: ModelMessage): void => parentPort?.postMessage(message)

/** Runs something with `:memory:`, or a directory that is there for it alone. */
const withPlace = async <T>(onDisk: boolean, run: (place: string) => Promise<T>): Promise<T> => {
  if (!onDisk) return run(':memory:')
  const place = await mkdtemp(join(task.directory, 'sequence-'))
  try {
    return await run(place)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** One that is on the disk begins anew somewhere in its middle. */
const withRestart = (sequence: readonly Operation[], own: Random): Operation[] =>
  sequence.toSpliced(own.between(1, sequence.length - 1), 1, { do: 'restart' })

const sequential = async (at: number): Promise<void> => {
  const own = random.fork(`sequence ${at}`)
  const pool: Pool = at % task.heavyEvery === 0 ? heavy : light
  const onDisk = at % task.diskEvery === 0
  const made = makeSequence(own, pool, task.operations)
  const sequence = onDisk ? withRestart(made, own) : made
  const run = async (part: readonly Operation[]): ReturnType<typeof runSequence> =>
    withPlace(onDisk, async (place) => runSequence(part, pool, { place, upkeep: task.upkeep }, reached))
  if ((await run(sequence)) === undefined) return
  const shortest = await shrink(sequence, async (part) => (await run(part)) !== undefined)
  const difference = await run(shortest)
  say({
    kind: 'failure',
    text:
      `sequence ${at} of seed ${task.seed}${onDisk ? ', on the disk' : ''}: ${JSON.stringify(shortest)}: at ${difference?.at} ` +
      `the model says ${JSON.stringify(difference?.expected)}, the registry ${JSON.stringify(difference?.got)}`.slice(
        0,
        3000,
      ),
  })
}

const parallel = async (at: number): Promise<void> => {
  const own = random.fork(`parallel ${at}`)
  const onDisk = at % task.diskEvery === 0
  const made: Parallel = {
    before: Array.from({ length: own.between(0, 6) }, () => makeAtomic(own)),
    clients: Array.from({ length: own.between(2, 4) }, () =>
      Array.from({ length: own.between(2, 6) }, () => makeAtomic(own)),
    ),
  }
  const { history, linearizable } = await withPlace(onDisk, async (place) => runParallel(made, light, place))
  if (linearizable) return
  // Another run may go another way: what happened is what is shown.
  say({
    kind: 'failure',
    text: `parallel history ${at} of seed ${task.seed} has no order: after ${JSON.stringify(made.before)}: ${JSON.stringify(history)}`.slice(
      0,
      6000,
    ),
  })
}

const reachedAnswers = new Set<string>()
const reached = (what: string): void => void reachedAnswers.add(what)

for (let at = task.from; at < task.to; at += 1) {
  await sequential(at)
  if ((at + 1) % 20 === 0) say({ kind: 'progress', sequences: at + 1 - task.from })
}
for (let at = task.from; at < task.from + task.parallel; at += 1) await parallel(at)
say({ kind: 'done', reached: [...reachedAnswers] })
