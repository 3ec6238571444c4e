import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodes } from '../failure.ts'
import { exitCodeHelp } from '../help.ts'
import { settingsTable } from './document.ts'

const path = new URL('../../../../docs/configuration.md', import.meta.url)

test('the table in docs/configuration.md is the table of settings', () => {
  const [, written = ''] = /<!-- settings -->\n([^]*?)\n<!-- \/settings -->/.exec(readFileSync(path, 'utf8')) ?? []
  // When this fails, paste what `settingsTable()` gives between the two marks.
  expect(written).toBe(settingsTable())
})

test('every exit code is in docs/administration.md and in the help', () => {
  const text = readFileSync(new URL('../../../../docs/administration.md', import.meta.url), 'utf8')
  for (const code of [0, ...Object.values(exitCodes)]) {
    expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
    expect(exitCodeHelp).toMatch(new RegExp(`(?:^| )${code} `, 'm'))
  }
})
