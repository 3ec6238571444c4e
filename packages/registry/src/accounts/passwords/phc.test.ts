import { argon2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodePhc, parsePhc } from './phc.ts'

const goodSalt = Buffer.alloc(16, 1).toString('base64').replaceAll('=', '')
const goodTag = Buffer.alloc(32, 2).toString('base64').replaceAll('=', '')
const good = `$argon2id$v=19$m=19456,t=2,p=1$${goodSalt}$${goodTag}`

it('what is written is read', () => {
  const hash = { memory: 65_536, passes: 3, parallelism: 4, salt: Buffer.alloc(17, 3), tag: Buffer.alloc(33, 255) }
  expect(parsePhc(encodePhc(hash))).toEqual(hash)
  expect(parsePhc(good)).toMatchObject({ memory: 19_456, passes: 2, parallelism: 1 })
})

it('writes what the reference implementation writes', () => {
  const parameters = { memory: 65_536, passes: 2, parallelism: 1 }
  const salt = Buffer.from('somesalt')
  const tag = argon2Sync('argon2id', { message: 'password', nonce: salt, ...parameters, tagLength: 32 })
  // From the tests of that implementation.
  const theirs = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  expect(encodePhc({ ...parameters, salt, tag })).toBe(theirs)
})

describe('is refused:', () => {
  it.each([
    ['nothing', ''],
    ['another algorithm', good.replace('argon2id', 'argon2i')],
    ['another version', good.replace('v=19', 'v=16')],
    ['no version', good.replace('v=19$', '')],
    ['too little memory', good.replace('m=19456', 'm=8191')],
    ['too much memory', good.replace('m=19456', 'm=262145')],
    ['an absurd amount of memory', good.replace('m=19456', 'm=4294967295')],
    ['no pass', good.replace('t=2', 't=0')],
    ['too many passes', good.replace('t=2', 't=11')],
    ['no lane', good.replace('p=1', 'p=0')],
    ['too many lanes', good.replace('p=1', 'p=5')],
    ['a short salt', good.replace(goodSalt, 'AAAAAAAAAAA')],
    ['a short tag', good.replace(goodTag, 'AAAAAAAAAAA')],
    ['a long tag', good.replace(goodTag, 'A'.repeat(87))],
    ['padding', `${good}=`],
    ['a leading zero', good.replace('m=19456', 'm=019456')],
    ['stray bits', good.replace(goodSalt, `${goodSalt.slice(0, -1)}R`)],
    ['a line feed', `${good}\n`],
    ['another order', good.replace('m=19456,t=2', 't=2,m=19456')],
    ['another parameter', good.replace('p=1', 'p=1,keyid=AAAA')],
    ['bcrypt', '$2y$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde'],
  ])('%s', (_, text) => {
    expect(text).not.toBe(good)
    expect(parsePhc(text)).toBeUndefined()
  })

  it.each(['m=8192', 'm=262144'])('but not %s', (memory) => {
    expect(parsePhc(good.replace('m=19456', memory))).toBeDefined()
  })
})
