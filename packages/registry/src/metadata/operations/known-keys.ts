import { elements, member } from '../elements.ts'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'

const keysOfBlobs = statement<{ keys: string }>()((db, p, dialect) =>
  db
    .selectFrom('blobs')
    .select('key')
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.keys)).select(member('key').as('key'))),
)

const keysOfGarbage = statement<{ keys: string }>()((db, p, dialect) =>
  db
    .selectFrom('blob_garbage')
    .select('key')
    .where('key', 'in', (eb) => eb.selectFrom(elements(dialect, p.keys)).select(member('key').as('key'))),
)

export function* knownKeys(keys: readonly string[]): Operation<string[]> {
  const parameters = { keys: JSON.stringify(keys.map((key) => ({ key }))) }
  // In this order: a key goes from the blobs to the garbage, never back.
  const blobs = yield* all(keysOfBlobs, parameters)
  const garbage = yield* all(keysOfGarbage, parameters)
  return [...new Set([...blobs, ...garbage].map((row) => row.key))]
}
