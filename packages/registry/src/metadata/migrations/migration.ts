import type { Dialect } from '../statement.ts'

/** A step of the schema's history. Never changed once it has been released. */
export interface Migration {
  readonly name: string
  /** SQL statements with unqualified names: the caller's connection finds them in the right schema. */
  readonly steps: (dialect: Dialect) => readonly string[]
}
