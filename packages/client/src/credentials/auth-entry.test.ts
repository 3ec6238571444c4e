import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { basic } from '../testing/credential-home.ts'
import { readAuthEntry, writeAuthEntry } from './auth-entry.ts'
import type { Credential } from './credential.ts'

const password = (username: string, secret: string): Credential => ({ kind: 'password', username, password: secret })

describe('an entry', () => {
  test.each<[string, Record<string, unknown>, Credential | undefined]>([
    ['with auth', { auth: basic('me', 'secret') }, password('me', 'secret')],
    ['whose password has colons', { auth: basic('me', 'a:b::c') }, password('me', 'a:b::c')],
    ['whose password is not ASCII', { auth: basic('mé', 'pässwörd €') }, password('mé', 'pässwörd €')],
    ['whose password is empty', { auth: basic('me', '') }, password('me', '')],
    ['filled up with zeros', { auth: basic('me', 'secret\0\0') }, password('me', 'secret')],
    ['without padding', { auth: basic('me', 'x').replaceAll('=', '') }, password('me', 'x')],
    ['broken over lines', { auth: basic('me', 'secret').replace(/^.{4}/, '$&\r\n') }, password('me', 'secret')],
    ['with username and password', { username: 'me', password: 'secret' }, password('me', 'secret')],
    ['where auth comes first', { auth: basic('me', '1'), username: 'you', password: '2' }, password('me', '1')],
    ['with an identity token', { auth: basic('me', ''), identitytoken: 't' }, { kind: 'identity-token', token: 't' }],
    ['with a registry token', { registrytoken: 'r', identitytoken: 't' }, { kind: 'registry-token', token: 'r' }],
    ['that is empty', {}, undefined],
    ['with an e-mail address only', { email: 'me@example' }, undefined],
    ['with empty strings and null', { auth: '', identitytoken: null, username: '', password: 'x' }, undefined],
  ])('%s', (_, entry, credential) => {
    expect(readAuthEntry('f', entry)).toEqual(credential)
  })

  test.each([
    [{ auth: 'hunter2!' }, 'f.auth is not base64'],
    [{ auth: Buffer.from('hunter2').toString('base64') }, 'f.auth has no username with a colon behind it'],
    [{ auth: basic('', 'hunter2') }, 'f.auth has no username'],
    [{ auth: Buffer.from([0x68, 0xff, 0x3a]).toString('base64') }, 'f.auth is not UTF-8'],
    [{ auth: { hunter2: 1 } }, 'f.auth is not a string'],
    [{ identitytoken: 7 }, 'f.identitytoken is not a string'],
    [{ username: 'me', password: ['hunter2'] }, 'f.password is not a string'],
  ])('%j is refused, and not shown', (entry, message) => {
    const read = (): unknown => readAuthEntry('f', entry)
    expect(read).toThrow(
      expect.objectContaining({ code: 'invalid-content', message: expect.stringContaining(message) }),
    )
    expect(read).not.toThrow(/hunter2|aHVudGVyMg/)
  })
})

describe('a credential', () => {
  it('reads back as it was written', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !value.includes('\0'))
    const credential = fc.oneof(
      fc.record({ kind: fc.constant('password' as const), username: text, password: text }),
      fc.record({ kind: fc.constantFrom('identity-token' as const, 'registry-token' as const), token: text }),
    )
    fc.assert(
      fc.property(credential, (value) => {
        fc.pre(value.kind !== 'password' || !value.username.includes(':'))
        expect(readAuthEntry('f', writeAuthEntry(value))).toEqual(value)
      }),
    )
  })

  test.each<Credential>([
    password('', 'x'),
    password('a:b', 'x'),
    { kind: 'identity-token', token: '' },
    { kind: 'registry-token', token: '' },
  ])('%j is not written', (credential) => {
    expect(() => writeAuthEntry(credential)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
