import { expect, test } from 'vitest'
import { isTag } from './names.ts'
import { referrersTag } from './referrers-tag.ts'
import { ParseError } from './result.ts'

const long =
  'test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+truncation:' +
  'alsoSome=InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation'

test.each([
  [`sha256:${'a'.repeat(64)}`, `sha256-${'a'.repeat(64)}`],
  [`sha384:${'c'.repeat(96)}`, `sha384-${'c'.repeat(64)}`],
  [`sha512:${'b'.repeat(128)}`, `sha512-${'b'.repeat(64)}`],
  [long, 'test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot'],
])('%s has the referrers tag that the specification gives it', (digest, tag) => {
  expect(referrersTag(digest)).toBe(tag)
  expect(isTag(tag)).toBe(true)
})

test.each(['', 'sha256', ':abc', 'sha256:'])('%j is no digest and has none', (text) => {
  expect(() => referrersTag(text)).toThrow(ParseError)
})
