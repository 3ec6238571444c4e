import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesGlob, permits } from './permission.ts'

describe('matchesGlob', () => {
  it.each([
    ['team/app', 'team/app', true],
    ['team/app', 'team/apps', false],
    ['team/*', 'team/a/b', true],
    ['team/*', 'team/', true],
    ['team/*', 'team', false],
    ['*', '', true],
    ['*/app', 'a/b/app', true],
    ['*/app', 'app', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'ac', false],
    // Both ends must not share a character.
    ['ab*ba', 'aba', false],
    ['a*aa', 'aa', false],
    // Only `*` means anything.
    ['te?m', 'team', false],
    ['[a-z]', 'a', false],
    ['a.b', 'axb', false],
  ])('%s and %s: %s', (glob, text, expected) => {
    expect(matchesGlob(glob, text)).toBe(expected)
  })

  it('agrees with the regular expression that says the same', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 })
    fc.assert(
      fc.property(letters, text, (glob, given) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(given)
        expect(matchesGlob(glob, given)).toBe(expected)
      }),
      { numRuns: 5000 },
    )
  })

  it('takes what would make a regular expression slow', () => {
    expect(matchesGlob('a*'.repeat(2000) + 'b', 'a'.repeat(20_000))).toBe(false)
  })
})

describe('permits', () => {
  it('takes administer for all actions, and no action for another', () => {
    expect(permits({ repositories: 'a', actions: ['administer'] }, 'delete', 'a')).toBe(true)
    expect(permits({ repositories: 'a', actions: ['push'] }, 'overwrite', 'a')).toBe(false)
    expect(permits({ repositories: 'a', actions: ['push'] }, 'pull', 'a')).toBe(false)
    expect(permits({ repositories: 'a', actions: ['pull'] }, 'pull', 'b')).toBe(false)
  })
})
