import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsTable } from './document.ts'

const path = new URL('../../../../docs/configuration.md', import.meta.url)

test('the table in docs/configuration.md is the table of settings', () => {
  const [, written = ''] = /<!-- settings -->\n([^]*?)\n<!-- \/settings -->/.exec(readFileSync(path, 'utf8')) ?? []
  // When this fails, paste what `settingsTable()` gives between the two marks.
  expect(written).toBe(settingsTable())
})
