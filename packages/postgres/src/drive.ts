import type { Operation, Query, Rows } from '@stowage/registry/metadata'
import pg from 'pg'
import type { Compile } from './compiler.ts'

/** A pool, for statements that need no transaction, or one of its connections. */
export type Queryable = Pick<pg.Pool | pg.PoolClient, 'query'>

export interface Driver {
  /** Runs the operation to its end, one statement after the other. */
  <Result>(on: Queryable, operation: Operation<Result>): Promise<Result>
}

/**
 * @param prepared Whether connections keep the statements for the next time. Not for those that run once.
 */
export const createDriver = (compile: Compile, { prepared }: { prepared: boolean }): Driver => {
  const execute = async (on: Queryable, { statement, parameters }: Query): Promise<Rows> => {
    const compiled = compile(statement)
    if (compiled === undefined) return []
    const { name, sql, values } = compiled
    const result = await on.query<Record<string, unknown>>({
      ...(prepared && { name }),
      text: sql,
      values: values(parameters),
      types,
    })
    return result.rows
  }

  return async (on, operation) => {
    let step = operation.next([])
    while (step.done !== true) {
      let rows: Rows
      try {
        // A statement may depend on the one before.
        rows = await execute(on, step.value)
      } catch (error) {
        step = operation.throw(error)
        continue
      }
      step = operation.next(rows)
    }
    return step.value
  }
}

const { INT8: int8, BYTEA: bytea } = pg.types.builtins

/** Its own set, so that a pool which the host program uses too keeps the types that the host has given it. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: Parameters<typeof pg.types.getTypeParser>[0], format?: 'text' | 'binary') {
    if (oid === int8 && format !== 'binary') return exactNumber
    const standard = pg.types.getTypeParser(oid, format)
    return oid === bytea ? (value: string) => plainBytes(standard(value)) : standard
  },
}

/** Sizes, times, counts: PostgreSQL's go beyond what a number of JavaScript holds exactly. */
const exactNumber = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`The database holds the number ${text}, which is too large.`)
  return value
}

/** A `Buffer` is a `Uint8Array` with methods that mean something else, `slice` for one. */
const plainBytes = (value: unknown): unknown =>
  Buffer.isBuffer(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value
