import type { Operation } from '../operation.ts'
import { one, run } from '../operation.ts'
import { statement } from '../statement.ts'

const findState = statement<{ name: string }>()((db, p) =>
  db.selectFrom('upkeep_state').select('state_json as state').where('name', '=', p.name),
)

export function* readState(name: string): Operation<string | undefined> {
  return (yield* one(findState, { name }))?.state
}

const saveState = statement<{ name: string; state: string }>()((db, p) =>
  db
    .insertInto('upkeep_state')
    .values({ name: p.name, state_json: p.state })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ state_json: eb.ref('excluded.state_json') })),
    ),
)

export function* writeState(name: string, state: string): Operation<void> {
  yield* run(saveState, { name, state })
}
