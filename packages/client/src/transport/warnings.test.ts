import { expect, test } from 'vitest'
import { parseWarnings } from './warnings.ts'

test.each<[string | null, string[]]>([
  [null, []],
  ['', []],
  ['299 - "your credentials expire"', ['your credentials expire']],
  ['299 - "one", 299 - "two"', ['one', 'two']],
  [String.raw`299 - "a \"b\" \\c"`, [String.raw`a "b" \c`]],
  ['110 - "stale", 299 - "for people"', ['for people']],
  ['299 example.com "not by the specification"', []],
  ['299 - "not ended', []],
  [Buffer.from('299 - "Überholt"').toString('latin1'), ['Überholt']],
  ['299 - "\u00dcberholt"', ['\u00dcberholt']],
  // What would move the cursor of a terminal.
  ['299 - "a\u009b2Jb\u001b[2Jc"', ['a 2Jb [2Jc']],
  [`299 - "${'x'.repeat(2000)}"`, [`${'x'.repeat(500)}…`]],
  [`299 - "${'x'.repeat(20_000)}"`, []],
])('%s', (header, texts) => {
  expect(parseWarnings(header)).toEqual(texts)
})
