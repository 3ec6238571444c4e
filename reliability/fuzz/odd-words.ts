import type { Random } from '../random.ts'
import { chance } from './random-choice.ts'

/** Pieces of text that somebody, somewhere, has not thought of. In Latin-1: a character is a byte. */
const pieces: readonly string[] = [
  '',
  ' ',
  '%00',
  '%0d%0aX:%20y',
  '%2e%2e',
  '%2f',
  '%2F',
  '%5c',
  '%c0%af',
  '%e2%82%ac',
  '%ff',
  '%u002f',
  '%',
  '%3A',
  '%25%32%66',
  '..',
  '.',
  '/../',
  '/./',
  '//',
  '\\',
  ';',
  '#',
  '?',
  '&',
  '=',
  '+',
  '*',
  '@',
  ':',
  '"',
  "'",
  '<script>',
  '{}',
  '${x}',
  "' OR 1=1--",
  '_',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'sha256:',
  'sha512:',
]

/** Words of the routes, which may stand in names too. */
export const routeWords: readonly string[] = [
  'v2',
  'blobs',
  'uploads',
  'manifests',
  'tags',
  'list',
  'referrers',
  '_catalog',
  'auth',
  'token',
  'healthz',
  'metrics',
]

const unicode: readonly string[] = ['é', '層', '\u{1f433}', '\u202e', '\ufeff', '\u0131', '\u212a']
  // As bytes of UTF-8, each a character of Latin-1.
  .map((text) => Buffer.from(text).toString('latin1'))

const controls: readonly string[] = ['\0', '\x01', '\t', '\x7f', '\r', '\n', '\x80', '\xff']

export const oddPiece = (random: Random): string => {
  if (chance(random, 0.8)) return random.pick(pieces)
  return random.pick([
    () => random.pick(unicode),
    () => random.pick(controls),
    () => random.pick(routeWords),
    () => random.pick(['a', '0', '-', '%41', 'A/']).repeat(random.pick([2, 64, 129, 256, 300, 1000])),
  ])()
}

/** Numbers as nobody should write them. */
export const oddNumber = (random: Random): string =>
  random.pick([
    () => String(random.between(0, 3000)),
    () =>
      random.pick(['-1', '-0', '+1', '1.5', '1e9', '1e400', '0x10', '010', ' 1', '1 ', '1;1', '1,2', '', 'abc', 'NaN']),
    () => random.pick(['Infinity', '２', '2147483648', '4294967296', '9007199254740993', '18446744073709551616']),
    () => '9'.repeat(random.pick([10, 20, 100, 400, 401, 1000])),
  ])()

export const oddDigest = (random: Random, known: string): string =>
  random.pick([
    () => known.replace(':', random.pick(['%3A', '%3a', '%253A', '@', ';', ''])),
    () => known.toUpperCase(),
    () => known.slice(0, random.between(0, known.length)),
    () => `${known}${random.pick(['0', ' ', '/', '%00', '+x', ':0'])}`,
    () => `sha256:${'0'.repeat(random.between(0, 130))}`,
    () => `sha512:${'f'.repeat(128)}`,
    () => `sha384:${'a'.repeat(96)}`,
    () => `${random.pick(['md5', 'SHA256', 'sha-256', '', 'sha256+b64', 'sha256.x', '__proto__'])}:${'a'.repeat(64)}`,
    () => `sha256:${'g'.repeat(64)}`,
    () => oddPiece(random),
  ])()
