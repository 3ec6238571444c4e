import { describe, expect, it, test } from 'vitest'
import { RegistryError } from '../errors.ts'
import { type Authorization, parseAuthorization } from './authorization-header.ts'

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString('base64')

const refused = (header: string): RegistryError => {
  try {
    parseAuthorization(header)
  } catch (error) {
    if (error instanceof RegistryError) return error
  }
  throw new Error(`${JSON.stringify(header)} was not refused`)
}

describe('credentials that can be read', () => {
  test.each<[string | null, Authorization | undefined]>([
    [null, undefined],
    ['', undefined],
    // Reggie for Go sends this when it was given neither name nor password.
    ['Basic Og==', undefined],
    [`Basic ${encoded('ann:secret')}`, { scheme: 'basic', name: 'ann', password: 'secret' }],
    [`bAsIc   ${encoded('ann:secret')}`, { scheme: 'basic', name: 'ann', password: 'secret' }],
    [`Basic ${encoded('ann:s:e:c')}`, { scheme: 'basic', name: 'ann', password: 's:e:c' }],
    [`Basic ${encoded(':secret')}`, { scheme: 'basic', name: '', password: 'secret' }],
    [`Basic ${encoded('ann:')}`, { scheme: 'basic', name: 'ann', password: '' }],
    [`Basic ${encoded('ä:ö€😀')}`, { scheme: 'basic', name: 'ä', password: 'ö€😀' }],
    [`Basic ${encoded('\ufeffann:x')}`, { scheme: 'basic', name: '\ufeffann', password: 'x' }],
    [`Basic ${encoded('ann:secret').replace(/=+$/, '')}`, { scheme: 'basic', name: 'ann', password: 'secret' }],
    ['Bearer abc.def-_~+/==', { scheme: 'bearer', token: 'abc.def-_~+/==' }],
    ['bearer  abc ', { scheme: 'bearer', token: 'abc' }],
    ['Negotiate YII=', { scheme: 'unknown' }],
    ['Digest', { scheme: 'unknown' }],
  ])('%s', (header, expected) => {
    expect(parseAuthorization(header)).toEqual(expected)
  })
})

describe('credentials that cannot be read', () => {
  test.each<[string, string, string]>([
    ['Basic', 'no base64', 'invalid-credentials'],
    ['Basic *', 'no base64', 'invalid-credentials'],
    [`Basic ${encoded('a:b')}, Basic ${encoded('c:d')}`, 'no base64', 'invalid-credentials'],
    ['Basic YW5u-_8=', 'no base64', 'invalid-credentials'],
    [`Basic ${encoded('ann')}`, 'no colon', 'invalid-credentials'],
    [`Basic ${encoded('ann:se\ncret')}`, 'control characters', 'invalid-credentials'],
    [`Basic ${encoded('an\u0000n:secret')}`, 'control characters', 'invalid-credentials'],
    [`Basic ${encoded('ann:\u007f')}`, 'control characters', 'invalid-credentials'],
    [`Basic ${encoded(Uint8Array.of(0x61, 0x3a, 0xff))}`, 'not in UTF-8', 'invalid-credentials'],
    [`Basic ${encoded(Uint8Array.of(0x61, 0x3a, 0xc0, 0xaf))}`, 'not in UTF-8', 'invalid-credentials'],
    [`Basic ${'A'.repeat(9000)}`, 'longer than', 'invalid-credentials'],
    ['Bearer', 'no token', 'invalid-token'],
    ['Bearer a b', 'no token', 'invalid-token'],
    ['Bearer "a"', 'no token', 'invalid-token'],
    ['Bearer é', 'no token', 'invalid-token'],
  ])('%s', (header, message, login) => {
    const error = refused(header)
    expect(error.fault).toBe('unauthorized')
    expect(error.message).toContain(message)
    expect(error.hints).toEqual({ login })
  })

  it('never have their secret in the message', () => {
    for (const header of [`Basic ${encoded('hunter2')}`, 'Bearer hunter2 hunter2', `Basic hunter2*`]) {
      expect(refused(header).message).not.toMatch(/hunter2|aHVudGVyMg/)
    }
  })

  it('are refused before they are looked at when they are endless', () => {
    for (const piece of ['.', '=', 'A', ' ', 'A=']) {
      for (const scheme of ['Basic ', 'Bearer ', '']) {
        expect(refused(`${scheme}${piece.repeat(1_000_000)}`).message).toContain('longer than')
      }
    }
  })
})
