import { sql } from 'kysely'
import type { RawBuilder } from 'kysely'
import type { Dialect } from './statement.ts'

/**
 * The elements of a JSON array as a table `item` with one column `value`, read with `member`: one statement for a list of
 * any length, where a list of placeholders would be another statement for each length.
 */
export function elements(dialect: Dialect, json: string) {
  return dialect === 'postgres'
    ? sql<{ value: string }>`json_array_elements(cast(${json} as json))`.as('item')
    : sql<{ value: string }>`json_each(${json})`.as('item')
}

/** A member of an element of `elements`: text, as it is. */
export function member(name: string): RawBuilder<string> {
  return sql<string>`item.value ->> ${sql.lit(name)}`
}

/** A member that is a whole number. */
export function numberMember(name: string): RawBuilder<number> {
  return sql<number>`cast(item.value ->> ${sql.lit(name)} as bigint)`
}
