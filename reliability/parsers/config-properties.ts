import fc from 'fast-check'
import { formatAddress, parseAddress } from '../../packages/stowage/src/config/address.ts'
import { formatDuration, parseDuration } from '../../packages/stowage/src/config/duration.ts'
import { formatSize, parseSize } from '../../packages/stowage/src/config/size.ts'
import { garbageOf, holds, type ParserProperty } from './property.ts'

/** Thousandths of a second, and bytes: whole numbers, so that nothing is rounded here. */
const milliseconds = { ms: 1n, s: 1000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n } as const
const bytes = {
  '': 1n,
  B: 1n,
  kB: 10n ** 3n,
  MB: 10n ** 6n,
  GB: 10n ** 9n,
  KiB: 2n ** 10n,
  MiB: 2n ** 20n,
  GiB: 2n ** 30n,
  TiB: 2n ** 40n,
} as const

const space = fc.constantFrom('', ' ', '  ')
const decimals = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 999 }).map((part) => String(part)) },
)

export const configProperties: readonly ParserProperty[] = [
  holds(
    'a duration is what is written',
    fc.tuple(
      fc.nat(9_999_999),
      decimals,
      space,
      fc.constantFrom(...(Object.keys(milliseconds) as (keyof typeof milliseconds)[])),
    ),
    ([amount, part, between, unit]) => {
      const read = parseDuration(`${amount}${part === '' ? '' : `.${part}`}${between}${unit}`)
      // Thousandths of the unit, then to whole milliseconds, half of one upwards.
      const exact = (BigInt(amount) * 1000n + BigInt(part.padEnd(3, '0') || '0')) * milliseconds[unit]
      const wanted = Number((exact + 500n) / 1000n) / 1000
      return read !== undefined && Math.abs(read - wanted) <= 0.001
    },
  ),
  holds(
    'a duration reads back as it is written',
    fc.integer({ min: 0, max: 4_000_000_000 }),
    (amount) => parseDuration(formatDuration(amount / 1000)) === amount / 1000,
  ),
  holds(
    'what is no duration is none',
    garbageOf(['1', '0', '9', '.', 's', 'm', 'h', 'd', 'ms', 'e', '-', '+', ' ', 'x', '\n', '٣', 'Infinity']),
    (text) => {
      const read = parseDuration(text)
      return (
        read === undefined ||
        (Number.isFinite(read) && read >= 0 && /^\s*\d+(?:\.\d+)?\s*(?:ms|[smhd])?\s*$/.test(text))
      )
    },
  ),
  holds(
    'a size is what is written',
    fc.tuple(
      fc.nat(999_999_999),
      space,
      fc.constantFrom(...(Object.keys(bytes) as (keyof typeof bytes)[])),
      fc.boolean(),
    ),
    ([amount, between, unit, upper]) => {
      const read = parseSize(`${amount}${between}${upper ? unit.toUpperCase() : unit}`)
      const wanted = BigInt(amount) * bytes[unit]
      return wanted > BigInt(Number.MAX_SAFE_INTEGER) ? read === undefined : read === Number(wanted)
    },
  ),
  holds(
    'a size reads back as it is written',
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    (size) => parseSize(formatSize(size)) === size,
  ),
  holds(
    'what is no size is none',
    garbageOf(['1', '0', '9', '.', '5', 'B', 'k', 'K', 'i', 'M', 'T', 'P', 'e', '-', ' ', '\n', '９']),
    (text) => {
      const read = parseSize(text)
      return (
        read === undefined ||
        (Number.isSafeInteger(read) && read >= 0 && /^\s*\d+(?:\.\d+)?\s*(?:[kmgt]?i?b)?\s*$/i.test(text))
      )
    },
  ),
  holds(
    'an address reads back as it is written',
    fc.tuple(
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('localhost', '', 'a-b.example')),
      fc.integer({ min: 0, max: 65_535 }),
    ),
    ([host, port]) => {
      const read = parseAddress(formatAddress({ host, port }))
      return read?.host === host && read.port === port
    },
  ),
  holds(
    'what is no address is none',
    garbageOf(['127.0.0.1', 'localhost', ':', '[', ']', '::1', '5000', '65536', '.', '-', 'a', ' ', '/', 'é']),
    (text) => {
      const read = parseAddress(text)
      return (
        read === undefined ||
        (Number.isInteger(read.port) && read.port >= 0 && read.port <= 65_535 && !/[\s/]/.test(read.host))
      )
    },
  ),
]
