import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RepositoryFilter } from '../../access/grant.ts'
import { matchesGlob } from '../../access/permission.ts'
import type { Operation } from '../operation.ts'
import type { Connection } from '../sqlite/connection.ts'
import { openConnection } from '../sqlite/connection.ts'
import { migrateDatabase } from '../sqlite/migrate-database.ts'
import { findVisibleSource } from './mount-sources.ts'
import { listRepositories } from './repositories.ts'

const filter = (globs: readonly string[], ...within: (readonly string[])[]): RepositoryFilter => ({
  kind: 'any-of',
  globs,
  within,
})

const hundreds = Array.from({ length: 999 }, (_, number) => `other-${number}/*`)

const mine = Array.from({ length: 10 }, (_, number) => `mine/${number}`)

describe('among 10,000 repositories, who may see ten', () => {
  let connection: Connection
  /** How many names were compared with a pattern. */
  let compared = 0

  beforeAll(() => {
    connection = openConnection(':memory:')
    migrateDatabase(connection)
    const { database } = connection
    database.exec('begin')
    const insert = database.prepare('insert into repositories (name, created_at) values (?, 1)')
    for (let number = 0; number < 5000; number += 1) insert.run(`hidden/${1000 + number}`)
    for (const name of mine) insert.run(name)
    for (let number = 0; number < 5000; number += 1) insert.run(`secret/${1000 + number}`)
    database.exec(`insert into blobs (digest, size, key, created_at) values ('everywhere', 1, 'k', 1), ('nowhere', 1, 'l', 1);
      insert into repository_blobs (repository_id, digest, linked_at)
        select id, 'everywhere', 1 from repositories where name not like 'mine/%' or name = 'mine/7'`)
    database.exec('commit')
    // What SQLite's operator GLOB calls.
    database.function('glob', (pattern, name) => {
      compared += 1
      return Number(matchesGlob(String(pattern), String(name)))
    })
  })

  afterAll(() => connection.close())

  /** Runs it; gives its result, what it cost, and how SQLite searches. */
  const measure = <Result>(operation: Operation<Result>) => {
    compared = 0
    const prepare = vi.spyOn(connection.database, 'prepare')
    let statements = 0
    const counted = (function* (): Operation<Result> {
      let step = operation.next([])
      while (step.done !== true) {
        statements += 1
        step = operation.next(yield step.value)
      }
      return step.value
    })()
    const result = connection.drive(counted)
    const prepared = prepare.mock.calls.map(([sql]) => sql)
    prepare.mockRestore()
    return { result, compared, statements, prepared }
  }

  const planOf = (sql: string): string =>
    connection.database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map((row) => String(row['detail']))
      .join('\n')

  it.each([
    ['by one glob', filter(['mine/*']), mine, 0],
    ['by their names', filter(mine), mine, 0],
    ['by what narrows all', filter(['*'], ['mine/*']), mine, 0],
    ['by what narrows all twice', filter(['*'], ['mine/*', 'm*'], ['*/7', 'mine/*']), mine, 20],
    ['by a glob with something behind the star', filter(['mine/*7']), ['mine/7'], 10],
    ['by two that must both match', filter(['mine/*'], ['*/7', '*/x']), ['mine/7'], 20],
    ['by one of a thousand globs', filter([...hundreds, 'mine/*']), mine, 0],
    ['by one of a thousand twice', filter([...hundreds, 'mine/*'], ['*/7', ...hundreds, 'mi*']), mine, 0],
  ])('%s pays for ten', (_, visible, expected, comparisons) => {
    const found = measure(listRepositories({ limit: 100, visible }))
    expect(found.result).toEqual(expected)
    expect(found.compared).toBeLessThanOrEqual(comparisons)
    expect(found.statements).toBeLessThan(40)
  })

  it('pays for a page, wherever it begins', () => {
    const visible = filter(['*/*'], ['*'])
    const first = measure(listRepositories({ limit: 3, visible }))
    const later = measure(listRepositories({ limit: 3, visible, last: 'secret/5996' }))
    expect(later.result).toEqual(['secret/5997', 'secret/5998', 'secret/5999'])
    expect([first.compared, later.compared]).toEqual([3, 3])
    const split = filter(['hidden/*', 'mine/*', 'secret/*'])
    expect(measure(listRepositories({ limit: 2, visible: split, last: 'mine/8' })).result).toEqual([
      'mine/9',
      'secret/1000',
    ])
  })

  it('does not look at ranges behind the page', () => {
    const names = Array.from({ length: 1000 }, (_, number) => `hidden/${1000 + number}`)
    const found = measure(listRepositories({ limit: 3, visible: filter(names) }))
    expect(found.result).toEqual(names.slice(0, 3))
    expect(found.statements).toBe(1)
    expect(measure(listRepositories({ limit: 3, visible: filter(names), last: 'hidden/1990' })).statements).toBe(1)
  })

  it('has an index searched, and nothing sorted', () => {
    const { database, ...rest } = openConnection(':memory:')
    migrateDatabase({ database, ...rest })
    const prepare = vi.spyOn(database, 'prepare')
    const visible = filter(['a/*', 'b/*', 'c*x'])
    rest.drive(listRepositories({ limit: 10, visible }))
    const plans = prepare.mock.calls.map(([sql]) => planOf(sql))
    rest.close()
    expect(plans).toHaveLength(2)
    for (const plan of plans) {
      expect(plan).toMatch(/SEARCH r USING (COVERING )?INDEX .* \(name>\? AND name<\?\)/)
      expect(plan).not.toMatch(/SCAN r\b|TEMP B-TREE/)
    }
  })

  it.each([
    ['everywhere', filter(['mine/*']), 'mine/7', 0],
    ['everywhere', filter(['mine/7', 'mine/8']), 'mine/7', 0],
    ['everywhere', filter(['*'], ['mine/*']), 'mine/7', 0],
    ['everywhere', filter(['mine/*8']), undefined, 10],
    ['everywhere', filter([...hundreds, 'mine/*']), 'mine/7', 0],
    ['nowhere', filter(['hidden/*', 'secret/*x']), undefined, 0],
  ])('finds a blob that is %s to mount, and pays for ten', (digest, visible, source, comparisons) => {
    const found = measure(findVisibleSource(digest, visible))
    expect(found.result).toBe(source)
    expect(found.compared).toBeLessThanOrEqual(comparisons)
    expect(found.statements).toBeLessThanOrEqual(2)
    for (const sql of found.prepared) {
      expect(planOf(sql)).toMatch(/SEARCH l USING .*\((digest=\?|repository_id=\? AND digest=\?)\)/)
      expect(planOf(sql)).not.toMatch(/SCAN [lr]\b|TEMP B-TREE/)
    }
  })
})
