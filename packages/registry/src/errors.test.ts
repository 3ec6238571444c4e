import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { faults } from './errors.ts'

describe('docs/errors.md', async () => {
  const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')

  it.each(Object.entries(faults))('has a row and a section for %s', (fault, { code, status }) => {
    expect(page).toContain(`| [${fault}](#${fault}) | ${code} | ${status} |`)
    expect(page).toContain(`\n## ${fault}\n`)
  })

  it('has no section for what is not a fault', () => {
    const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    expect(sections.toSorted()).toEqual(Object.keys(faults).toSorted())
  })
})
