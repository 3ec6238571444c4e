import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { expect, it, vi } from 'vitest'
import type { Schema } from './schema.ts'
import { createCompiler, statement } from './statement.ts'

const kysely = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const findTag = statement<{ tag: string; id: number }>()((db, p) =>
  db
    .selectFrom('tags')
    .select('digest')
    .where('name', '=', p.tag)
    .where('repository_id', '=', p.id)
    .where('digest', '<>', 'constant')
    .where('digest', '<>', p.tag),
)

it('named parameters go where the SQL wants them, as often as it does', () => {
  const compiled = createCompiler(kysely, 'sqlite')(findTag)
  expect(compiled?.sql).toBe(
    'select "digest" from "tags" where "name" = ? and "repository_id" = ? and "digest" <> ? and "digest" <> ?',
  )
  expect(compiled?.values({ id: 7, tag: 'x', unused: 1 })).toEqual(['x', 7, 'constant', 'x'])
})

it('a parameter that was forgotten is an error, not a null', () => {
  const compiled = createCompiler(kysely, 'sqlite')(findTag)
  expect(() => compiled?.values({ tag: 'x' })).toThrow('parameter id has no value')
})

it('a statement is compiled once for a store', () => {
  const build = vi.fn(findTag.build)
  const compile = createCompiler(kysely, 'sqlite')
  const counted = { build }
  expect(compile(counted)).toBe(compile(counted))
  expect(build).toHaveBeenCalledTimes(1)
})

it('a statement that a dialect does not need is none', () => {
  const build = vi.fn(() => undefined)
  const compile = createCompiler(kysely, 'sqlite')
  const counted = { build }
  expect(compile(counted)).toBeUndefined()
  expect(compile(counted)).toBeUndefined()
  expect(build).toHaveBeenCalledTimes(1)
})
