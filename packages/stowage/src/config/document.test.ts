import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { exitCodes } from '../failure.ts'
import { administrationExitCodeHelp, clientExitCodeHelp, exitCodeHelp } from '../help.ts'
import { settingsTable } from './document.ts'

const path = new URL('../../../../docs/configuration.md', import.meta.url)

test('the table in docs/configuration.md is the table of settings', () => {
  const [, written = ''] = /<!-- settings -->\n([^]*?)\n<!-- \/settings -->/.exec(readFileSync(path, 'utf8')) ?? []
  // When this fails, paste what `settingsTable()` gives between the two marks.
  expect(written).toBe(settingsTable())
})

test('every exit code is in the documents and in the help of who exits with it', () => {
  const page = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8')
  const places = [
    { text: page('administration.md'), help: exitCodeHelp + administrationExitCodeHelp },
    { text: page('commands.md'), help: clientExitCodeHelp },
  ]
  for (const code of [0, ...Object.values(exitCodes)]) {
    const found = places.map(({ text, help }) => [
      new RegExp(`^\\| ${code} \\|`, 'm').test(text),
      new RegExp(`(?:^| )${code} `, 'm').test(help),
    ])
    // In the page and in the help, or in neither.
    for (const [inPage, inHelp] of found) expect({ code, is: inPage }).toEqual({ code, is: inHelp })
    expect({ code, documented: found.some(([inPage]) => inPage) }).toEqual({ code, documented: true })
  }
})
