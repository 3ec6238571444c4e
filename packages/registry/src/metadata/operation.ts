import type { AnyStatement, Statement, Value } from './statement.ts'

/** What an operation asks of the database. */
export interface Query {
  readonly statement: AnyStatement
  readonly parameters: Readonly<Record<string, Value>>
}

export type Rows = readonly unknown[]

/**
 * Work on the database that does not know how it is driven: SQLite runs it to its end in one synchronous block, PostgreSQL
 * waits between the statements. It depends on its arguments and the database alone, so that it can be run again.
 */
export type Operation<Result> = Generator<Query, Result, Rows>

/** An operation that writes. It runs in a transaction of its own, which an `Undone` result rolls back. */
export type WriteOperation<Result> = Operation<Result | Undone<Result>>

/** A result that must leave no trace: "nothing was written" holds by construction, whatever was written on the way. */
export class Undone<out Result> {
  readonly result: Result
  constructor(result: Result) {
    this.result = result
  }
}

/** What a caller sees of an operation's result. */
export type Settled<Result> = Result extends Undone<infer Inner> ? Inner : Result

export function* all<P extends Record<keyof P, Value>, Row>(
  statement: Statement<P, Row>,
  parameters: P,
): Operation<Row[]> {
  const rows = yield { statement, parameters }
  // Kysely derived the type from the statement.
  return rows as Row[]
}

export function* one<P extends Record<keyof P, Value>, Row>(
  statement: Statement<P, Row>,
  parameters: P,
): Operation<Row | undefined> {
  return (yield* all(statement, parameters))[0]
}

export function* run<P extends Record<keyof P, Value>>(
  statement: Statement<P, unknown>,
  parameters: P,
): Operation<void> {
  yield { statement, parameters }
}
