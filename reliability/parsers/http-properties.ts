import { isIP } from 'node:net'
import fc from 'fast-check'
import { matchesNone } from '../../packages/registry/src/http/content-headers.ts'
import { parsePage } from '../../packages/registry/src/http/paging.ts'
import { parseChunkRange, parseRange } from '../../packages/registry/src/http/range.ts'
import { matchRoute, splitTarget } from '../../packages/registry/src/http/route.ts'
import { forwardedHopOf, hopOf, hostOf } from '../../packages/registry/src/limits/forwarded.ts'
import { networkOf, plainAddress } from '../../packages/registry/src/limits/network.ts'
import { isFault } from './fault.ts'
import {
  alphanumeric,
  charactersOf,
  digest,
  garbageOf,
  holds,
  type ParserProperty,
  repositoryName,
  tag,
  throwsOnly,
} from './property.ts'

const whole = fc.bigInt({ min: 0n, max: 2n ** 60n }).map(String)
const place = fc.oneof(fc.integer({ min: 0, max: 200 }).map(String), whole)
const size = fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }))
const space = fc.constantFrom('', ' ', '\t', '  ')

/** Inclusive, and with numbers that are not rounded. Undefined: nothing of it is there. */
const wantedRange = (first: string, last: string, bytes: number): [bigint, bigint] | undefined => {
  const end = BigInt(bytes)
  if (first === '') {
    const length = BigInt(last) < end ? BigInt(last) : end
    return length === 0n ? undefined : [end - length, end - 1n]
  }
  const to = last === '' || BigInt(last) >= end ? end - 1n : BigInt(last)
  return BigInt(first) > to ? undefined : [BigInt(first), to]
}

const groups = fc.array(
  fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.integer({ min: 0, max: 0xffff }) }),
  { minLength: 8, maxLength: 8 },
)

/** An address in one of its spellings: zeros, upper case, a gap where there are zeros. */
const spelled = fc
  .tuple(groups, fc.boolean(), fc.boolean(), fc.nat(7), fc.nat(8))
  .map(([all, upper, padded, from, to]) => {
    const texts = all.map((group) => {
      const text = group.toString(16).padStart(padded ? 4 : 1, '0')
      return upper ? text.toUpperCase() : text
    })
    const gap = from < to && all.slice(from, to).every((group) => group === 0)
    const text = gap ? `${texts.slice(0, from).join(':')}::${texts.slice(to).join(':')}` : texts.join(':')
    return { all, text }
  })

export const httpProperties: readonly ParserProperty[] = [
  holds(
    'a range of bytes is what RFC 9110 says',
    fc.tuple(
      fc.constantFrom('bytes', 'BYTES', 'Bytes'),
      space,
      fc.oneof(place, fc.constant('')),
      fc.oneof(place, fc.constant('')),
      space,
      size,
    ),
    ([unit, before, first, last, after, bytes]) => {
      const got = parseRange(`${unit}=${before}${first}-${last}${after}`, bytes)
      if (first === '' && last === '') return got.kind === 'whole'
      // Beyond 2^53 a number is rounded, and with it stays beyond every blob.
      const wanted = wantedRange(first, last, bytes)
      if (wanted === undefined) return got.kind === 'unsatisfiable'
      return got.kind === 'part' && BigInt(got.start) === wanted[0] && BigInt(got.end) === wanted[1] + 1n
    },
  ),
  holds(
    'no Range is another than one within the blob',
    fc.tuple(garbageOf(['bytes=', 'bytes', '=', '-', ',', '0', '9', '12', ' ', '\t', 'e', '.', '+']), size),
    ([header, bytes]) => {
      const got = parseRange(header, bytes)
      return (
        got.kind !== 'part' ||
        (Number.isSafeInteger(got.start) && got.start >= 0 && got.start < got.end && got.end <= bytes)
      )
    },
  ),
  holds('the range of a chunk is read as it is written', fc.tuple(size, size), ([one, other]) => {
    const [first, last] = [Math.min(one, other), Math.max(one, other)]
    const got = parseChunkRange(`${first}-${last}`)
    return got !== undefined && got.first === first && got.last === last
  }),
  holds(
    'what is no range of a chunk is none',
    garbageOf(['bytes ', '0', '1', '9007199254740993', '-', '--', '/', '*', ' ', '\n', '+', '٣']),
    (header) => {
      const got = parseChunkRange(header)
      return (
        got === undefined || (/^[0-9]+-[0-9]+$/.test(header) && Number.isSafeInteger(got.last) && got.first <= got.last)
      )
    },
  ),
  holds(
    'an entity tag is found among others',
    fc.tuple(digest, fc.array(fc.tuple(fc.boolean(), digest), { maxLength: 4 }), fc.boolean()),
    ([mine, others, there]) => {
      const all = others.filter(([, other]) => other !== mine).map(([weak, other]) => `${weak ? 'W/' : ''}"${other}"`)
      return matchesNone([...all, ...(there ? [`W/"${mine}"`] : [])].join(' , '), mine as never) === there
    },
    5,
  ),
  holds(
    'n is a whole number or refused',
    fc.oneof(place, garbageOf(['0', '1', '9', '-', '+', 'e', '.', ' ', 'x', '９'])),
    (n) =>
      throwsOnly(() => {
        const { limit } = parsePage(new URLSearchParams({ n }))
        if (!/^[0-9]+$/.test(n)) throw new Error('taken')
        if (limit !== (BigInt(n) > 1000n ? 1000 : Number(n))) throw new Error('another')
      }, isFault('query-invalid')),
  ),
  holds(
    'a path that is taken is one that no URL parser takes for another',
    garbageOf([
      '/',
      '/v2',
      '/a',
      '.',
      '..',
      '%',
      '%2f',
      '%3A',
      '%3a',
      '\\',
      '#',
      '?',
      ' ',
      'é',
      'http://',
      'x',
      ':',
      '@',
      '\t',
      '\0',
    ]),
    (target) => {
      let path: string
      try {
        ;({ path } = splitTarget(target))
      } catch (error) {
        return isFault('target-invalid')(error)
      }
      // What stands in no name may be percent-encoded: it leads to nothing either way.
      const encoded = path.replaceAll(/["<>^`{|}]/g, (character) => encodeURIComponent(character))
      const { pathname } = new URL(path, 'http://registry.test')
      return path.startsWith('/') && [path, encoded, encoded.replaceAll('%7C', '|')].includes(pathname)
    },
  ),
  holds(
    'a route is read from the right',
    fc.tuple(repositoryName, tag, digest, fc.boolean(), fc.boolean()),
    ([name, reference, of, byDigest, slash]) => {
      const last = byDigest ? of : reference
      const got = matchRoute(`/v2/${name}/manifests/${last}${slash ? '/' : ''}`)
      return got?.route === 'manifest' && got.name === name && got.last === last
    },
  ),
  holds(
    'no path is a route of nothing',
    garbageOf([
      '/v2',
      '/',
      'a',
      'blobs',
      'uploads',
      'manifests',
      'tags',
      'list',
      'referrers',
      '_catalog',
      '/blobs/uploads/',
      '%3A',
      '/auth/token',
    ]),
    (path) => {
      const got = matchRoute(path)
      if (got === undefined || got.name === '') return true
      return path.startsWith(`/v2/${got.name}/`)
    },
  ),
  holds('an address has one spelling', spelled, ({ all, text }) => {
    if (isIP(text) !== 6) return true
    const got = plainAddress(text)
    const mapped = all.slice(0, 5).every((group) => group === 0) && all[5] === 0xffff
    const plain = all.map((group) => group.toString(16)).join(':')
    if (got === undefined) return false
    return mapped
      ? got.family === 'ipv4' && isIP(got.address) === 4
      : got.address === plain && networkOf(text) === `${plain.split(':').slice(0, 4).join(':')}::/64`
  }),
  holds(
    'what is no address is none',
    garbageOf(['1', '255', '256', '.', ':', '::', 'f', 'ffff', '[', ']', '%eth0', '0', ' ']),
    (text) => {
      const got = plainAddress(text)
      return (
        (got !== undefined) === (isIP(text) !== 0) &&
        (got === undefined || isIP(got.address) === (got.family === 'ipv4' ? 4 : 6))
      )
    },
  ),
  holds(
    'an element of Forwarded is read as it is written',
    fc.tuple(
      fc.constantFrom('192.0.2.60', '"192.0.2.60:47"', '"[2001:db8::17]:47"', '"[2001:db8::17]"'),
      fc.constantFrom('http', 'https', 'HTTPS'),
      charactersOf(`${alphanumeric}-.`, { minLength: 1, maxLength: 20 }),
      fc.boolean(),
    ),
    ([address, proto, host, quoted]) => {
      const hop = forwardedHopOf(` for=${address};proto=${proto}; Host=${quoted ? `"${host}"` : host}`)
      return (
        hop !== undefined &&
        isIP(hop.address) !== 0 &&
        hop.scheme === proto.toLowerCase() &&
        hop.host === (URL.canParse(`http://${host}`) ? host.toLowerCase() : undefined)
      )
    },
  ),
  holds(
    'no proxy makes an address of what is none',
    garbageOf([
      'for=',
      'FOR=',
      ';',
      '"',
      '\\',
      '192.0.2.1',
      '[',
      ']',
      '::1',
      'unknown',
      '_x',
      'proto=',
      'http',
      'host=',
      'a.b',
      ':80',
      ',',
      ' ',
      '=',
    ]),
    (text) => {
      for (const hop of [forwardedHopOf(text), hopOf(text)])
        if (hop !== undefined && isIP(hop.address) === 0) return false
      const host = hostOf(text)
      return host === undefined || URL.canParse(`http://${host}/`)
    },
  ),
]
