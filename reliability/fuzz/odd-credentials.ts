import type { Random } from '../random.ts'
import { chance } from './random-choice.ts'
import type { World } from './world.ts'

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }

/** Headers of tokens that somebody made up: nothing of them may be believed. */
const headers: readonly object[] = [
  { alg: 'none' },
  { alg: 'EdDSA', jwk: key },
  { alg: 'EdDSA', jku: 'http://127.0.0.1:1/keys' },
  { alg: 'EdDSA', x5u: 'http://127.0.0.1:1/cert', x5c: ['AAAA'] },
  { alg: 'EdDSA', kid: '../../etc/passwd' },
  { alg: 'EdDSA', kid: "' OR 1=1--" },
  { alg: 'EdDSA', kid: { toString: 1 } },
  { alg: 'HS256', typ: 'JWT', kid: '' },
  { alg: 'EdDSA', crit: ['exp', 'b64'], b64: false },
  { alg: ['EdDSA'], typ: 1 },
  { alg: 'RS256', zip: 'DEF' },
  {},
]

/** Values of `Authorization` of all kinds, in Latin-1: most of them wrong, some in a way only a parser could notice. */
export const oddAuthorization = (random: Random, world: World): string =>
  random.pick([
    () => (world.credentials.length > 0 ? random.pick(world.credentials) : ''),
    // A good token that was cut, or grew, or lost a bit.
    () => spoiled(random, world.credentials.length > 0 ? random.pick(world.credentials) : 'Bearer a.b.c'),
    () =>
      `Bearer ${part(random.pick(headers))}.${part({ sub: 'user:admin', exp: 4e9, iat: 1, aud: 'stowage', iss: 'stowage', access: [] })}.${random.pick(['', 'AA', 'x'.repeat(86)])}`,
    () => `Bearer ${'.'.repeat(random.pick([1, 2, 3, 6000]))}`,
    () =>
      `Bearer ${random.pick(['', 'a', 'a b', 'stw_x', `stw_${'A'.repeat(43)}`, '=', '%00', '\xe9', 'e30.e30.e30'])}`,
    () =>
      `${random.pick(['bearer', 'BEARER', 'Bearer\t', 'Bearer,', 'Token', 'Negotiate', 'Digest', 'AWS4-HMAC-SHA256'])} ${base64('a:b')}`,
    () =>
      `Basic ${random.pick(['', '=', '!!!!', 'YQ', 'YTpi\n', base64(''), base64(':'), base64('admin'), base64('a\0b:c')])}`,
    () =>
      `Basic ${base64(random.pick(['\xff\xfe:x', 'a\r\nb:c', ':x', 'admin:', '__proto__:x', `a:${'b'.repeat(3000)}`]))}`,
    // Of these the registry has to compute something, or to count: few.
    () => (chance(random, 0.05) ? `Basic ${base64(`user-${random.between(0, 9)}:wrong`)}` : 'Basic'),
    () => random.pick(['', ' ', ',', 'x', 'x'.repeat(8193), 'Basic '.repeat(900)]),
  ])()

const spoiled = (random: Random, credential: string): string => {
  const at = random.between(0, credential.length - 1)
  return random.pick([
    `${credential.slice(0, at)}${credential.slice(at + 1)}`,
    `${credential.slice(0, at)}A${credential.slice(at)}`,
    credential.slice(0, at),
    `${credential}${credential}`,
    credential.toLowerCase(),
  ])
}
