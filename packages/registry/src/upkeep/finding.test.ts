import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { cases, filled } from '../testing/spoilt-registry.ts'
import { findingKinds } from './finding.ts'

describe('docs/doctor.md', async () => {
  const page = await readFile(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8')
  const sections = [...page.matchAll(/^### (.+)$/gm)].map(([, title]) => title)

  it.each(Object.entries(findingKinds))('has a row and a section for %s', (kind, { invariant, severity }) => {
    expect(page).toContain(`| [${kind}](#${kind}) | ${invariant} | ${severity} |`)
    expect(sections).toContain(kind)
  })

  const mending = [...page.matchAll(/^### (.+)\n(?:(?!^###? )[^])*?```sql\n([^]*?)```/gm)].map(([, kind, sql]) => ({
    kind: kind as keyof typeof cases,
    sql: sql ?? '',
  }))

  it.each(mending)('mends $kind by the SQL it has', async ({ kind, sql }) => {
    await using registry = await filled()
    await cases[kind].spoil(registry)
    expect((await registry.examine()).map((one) => one.kind)).toContain(kind)
    await registry.restart(() => {
      using database = new DatabaseSync(join(registry.directory, 'registry.db'))
      database.exec(sql)
    })
    expect((await registry.examine({ deep: true })).filter(({ severity }) => severity === 'problem')).toEqual([])
  })

  it('has no section for what is never found', () => {
    expect(sections.toSorted()).toEqual(Object.keys(findingKinds).toSorted())
  })
})
