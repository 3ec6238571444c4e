import { sql } from 'kysely'
import type { Expression, RawBuilder } from 'kysely'
import type { Dialect } from '../statement.ts'

/** Whether the name of the repository `r` meets the conditions of a `NameRange`, which are JSON. */
export function meets(dialect: Dialect, conditions: Expression<unknown>): RawBuilder<boolean> {
  return dialect === 'postgres'
    ? sql<boolean>`not exists (
        select 1 from json_array_elements(${conditions}) as condition where not exists (
          select 1 from json_array_elements_text(condition.value -> 'like') as pattern where r.name like pattern.value))`
    : sql<boolean>`not exists (
        select 1 from json_each(${conditions}) as condition where not exists (
          select 1 from json_each(condition.value, '$.glob') as pattern where r.name glob pattern.value))`
}
