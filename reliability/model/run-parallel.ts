import type { Pool } from './contents.ts'
import { createDriver } from './driver.ts'
import { type Happened, isLinearizable } from './linearizable.ts'
import type { Answer } from './answer.ts'
import { createModel, type Model } from './model.ts'
import type { Operation } from './operation.ts'
import { openClocked } from './run-sequence.ts'

/** What several clients do at the same time, after one alone has done something. */
export interface Parallel {
  readonly before: readonly Operation[]
  readonly clients: readonly (readonly Operation[])[]
}

export interface ParallelOutcome {
  readonly history: readonly Happened[]
  readonly linearizable: boolean
}

/** @param place `:memory:`, or a directory that is empty. */
export const runParallel = async (
  { before, clients }: Parallel,
  pool: Pool,
  place: string,
): Promise<ParallelOutcome> => {
  await using clocked = await openClocked(place)
  const driver = createDriver(clocked.registry, pool, clocked.restart)
  const model = createModel(pool)
  for (const operation of before) {
    await driver.answer(operation)
    model.answer(operation)
  }
  let clock = 0
  const history: Happened[] = []
  await Promise.all(
    clients.map(async (operations, client) => {
      for (const operation of operations) {
        const began = (clock += 1)
        const answer = withoutReason(await driver.answer(operation))
        history.push({ client, operation, answer, began, ended: (clock += 1) })
      }
    }),
  )
  return { history, linearizable: isLinearizable(history, unreasoning(model)) }
}

/** Why something is not there, the manifest or the whole repository, is asked after it was not found: by then it may be another reason. */
const withoutReason = (answer: Answer): Answer => (answer.status === 404 ? { status: 404 } : answer)

const unreasoning = (model: Model): Model => ({
  ...model,
  answer: (operation) => withoutReason(model.answer(operation)),
  copy: () => unreasoning(model.copy()),
})
