import { createHash } from 'node:crypto'
import type { AnyStatement, CompiledStatement, Schema } from '@stowage/registry/metadata'
import { createCompiler } from '@stowage/registry/metadata'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'

export interface NamedStatement extends CompiledStatement {
  /** Under which a connection keeps it prepared. The same text has the same name, and another text another. */
  readonly name: string
}

export type Compile = (statement: AnyStatement) => NamedStatement | undefined

/** Writes the SQL for tables in this schema, each statement once. */
export const createPostgresCompiler = (schema: string | undefined): Compile => {
  // Kysely never runs anything here.
  const kysely = new Kysely<Schema>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
  const compile = createCompiler(schema === undefined ? kysely : kysely.withSchema(schema), 'postgres')
  const named = new WeakMap<AnyStatement, NamedStatement>()
  return (statement) => {
    const known = named.get(statement)
    if (known !== undefined) return known
    const compiled = compile(statement)
    if (compiled === undefined) return undefined
    const hash = createHash('sha256').update(compiled.sql).digest('hex').slice(0, 32)
    const ready = { ...compiled, name: `stowage_${hash}` }
    named.set(statement, ready)
    return ready
  }
}
