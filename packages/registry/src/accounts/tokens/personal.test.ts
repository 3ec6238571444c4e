import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashSecret, looksLikeToken, makeToken, parseToken } from './personal.ts'

describe.each([
  ['personal', 'stwp_'],
  ['refresh', 'stwr_'],
] as const)('a %s token', (kind, prefix) => {
  it('has an id and a secret, and only the hash of that is for keeping', () => {
    const { id, secretHash, text } = makeToken(kind)
    expect(text).toMatch(new RegExp(`^${prefix}[a-z0-9]{16}_[A-Za-z0-9_-]{43}$`))
    const parsed = parseToken(text)
    expect(parsed).toEqual({ kind, id, secret: text.slice(22) })
    expect(secretHash).toBe(hashSecret(text.slice(22)))
    expect(secretHash).toMatch(/^[0-9a-f]{64}$/)
    expect(Buffer.from(text.slice(22), 'base64url')).toHaveLength(32)
    expect(looksLikeToken(text)).toBe(true)
  })

  it('is another one each time', () => {
    const made = Array.from({ length: 500 }, () => makeToken(kind))
    expect(new Set(made.map(({ id }) => id)).size).toBe(500)
    expect(new Set(made.map(({ secretHash }) => secretHash)).size).toBe(500)
    // Every one of them can be read again, also where the secret has `_` in it.
    expect(made.every(({ id, text }) => parseToken(text)?.id === id)).toBe(true)
    expect(made.some(({ text }) => text.slice(22).includes('_'))).toBe(true)
  })

  it('is none any more when a character is missing, added or not one of its alphabet', () => {
    const { text } = makeToken(kind)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('', '.', ' ', 'é', '\n', 'xx'), (at, instead) => {
        expect(looksLikeToken(text.slice(0, at) + instead + text.slice(at + 1))).toBe(false)
      }),
    )
  })
})

it.each(['', 'stwp_', 'hunter2', 'stwx_0123456789abcdef_'.padEnd(65, 'A'), 'stwp_0123456789ABCDEF_'.padEnd(65, 'A')])(
  '%j is a password like any other',
  (text) => {
    expect(parseToken(text)).toBeUndefined()
    expect(looksLikeToken(text)).toBe(false)
  },
)
