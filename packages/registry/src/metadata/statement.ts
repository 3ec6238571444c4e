import { sql } from 'kysely'
import type { CompiledQuery, Kysely } from 'kysely'
import type { Schema } from './schema.ts'

export type Dialect = 'sqlite' | 'postgres'

/**
 * A SQL statement with named parameters, written once with Kysely for both databases. Compiling costs Kysely tens of
 * microseconds, more than SQLite needs to run most of these, so a store compiles each once (see `createCompiler`) and
 * only fills in the parameters afterwards.
 */
export interface Statement<Parameters, Row> {
  readonly build: Build<Parameters, Row>
}

/** `parameters` stands for the values: each member may be used wherever Kysely takes a value. */
export type Build<Parameters, Row> = (
  db: Kysely<Schema>,
  parameters: Parameters,
  dialect: Dialect,
) => Compilable<Row> | undefined

interface Compilable<Row> {
  compile(): CompiledQuery<Row>
}

export type Value = string | number | Uint8Array | null

/**
 * `statement<{ tag: string }>()((db, p) => db.selectFrom('tags').where('name', '=', p.tag))`. Lists travel as JSON text
 * (see `elements`). A build that gives undefined is a statement its dialect does not need: it runs nothing.
 */
export function statement<Parameters extends { [name in keyof Parameters]: Value }>() {
  return <Row>(build: Build<Parameters, Row>): Statement<Parameters, Row> => ({ build })
}

/** Plain SQL without parameters. */
export function rawStatement(text: string): Statement<object, unknown> {
  return { build: (db) => ({ compile: () => sql.raw(text).compile(db) }) }
}

export interface CompiledStatement {
  readonly sql: string
  /** The values in the order in which the SQL wants them. */
  readonly values: (parameters: Readonly<Record<string, Value>>) => Value[]
}

export type AnyStatement = Statement<never, unknown>

/** Compiles each statement once for one store; undefined for a statement its dialect does not need. */
export function createCompiler(
  db: Kysely<Schema>,
  dialect: Dialect,
): (statement: AnyStatement) => CompiledStatement | undefined {
  const known = new WeakMap<AnyStatement, CompiledStatement | undefined>()
  return (wanted) => {
    const found = known.get(wanted)
    if (found !== undefined || known.has(wanted)) return found
    // Stands for whatever parameters the statement has.
    const compiled = wanted.build(db, placeholders as never, dialect)?.compile()
    const ready = compiled && { sql: compiled.sql, values: filler(compiled.parameters) }
    known.set(wanted, ready)
    return ready
  }
}

/** What stands in a compiled statement where a parameter goes. Kysely carries it through untouched. */
class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

const placeholders: object = new Proxy({}, { get: (_target, name) => new Placeholder(String(name)) })

function filler(slots: readonly unknown[]): CompiledStatement['values'] {
  const sources = slots.map((slot) => (slot instanceof Placeholder ? slot : constant(slot)))
  return (parameters) =>
    sources.map((source) => {
      if (!(source instanceof Placeholder)) return source
      const value = parameters[source.name]
      if (value === undefined) throw new TypeError(`The statement's parameter ${source.name} has no value.`)
      return value
    })
}

function constant(slot: unknown): Value {
  if (typeof slot === 'string' || typeof slot === 'number' || slot === null) return slot
  throw new TypeError(`A statement cannot have a constant of the type ${typeof slot}.`)
}
