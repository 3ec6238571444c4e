import { digestOf } from '../image.ts'
import type { PoolManifest } from './contents.ts'

/** What of an answer the specification and the documentation say: members that are undefined are not there. */
export interface Answer {
  readonly status: number
  readonly [fact: string]: unknown
}

export const error = (status: number, code: string): Answer => ({ status, code })

export const created = (digest: string): Answer => ({ status: 201, digest, location: true })

/** "The <end-of-range> value is the position of the last uploaded byte"; before the first byte it is 0 too. */
export const progress = (status: number, bytes: string): Answer => ({
  status,
  range: `0-${Math.max(bytes.length - 1, 0)}`,
})

/** "The list … MUST be in lexical or ASCIIbetical order", what is behind `last`, `n` at most, and a Link when there are more. */
export const page = (all: Iterable<string>, n: number | undefined, last: string | undefined): Answer => {
  const rest = [...all].toSorted(byBytes).filter((name) => last === undefined || byBytes(name, last) > 0)
  const entries = n === undefined ? rest : rest.slice(0, n)
  return { status: 200, entries, more: n !== 0 && entries.length < rest.length }
}

/** RFC 9110 section 14.1.2: `first-last`, `first-`, or the last so many bytes. */
export const part = (digest: string, bytes: Buffer, range: string): Answer => {
  const size = bytes.byteLength
  const [first = '', last = ''] = range.split('-')
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (from > to || from >= size) return { ...error(416, 'SIZE_INVALID'), of: `bytes */${size}` }
  const body = digestOf(bytes.subarray(from, to + 1))
  return { status: 206, digest, size: to - from + 1, of: `bytes ${from}-${to}/${size}`, body }
}

/** As a list of referrers has it, `said` in one order. */
export interface Listed {
  readonly digest: string
  readonly said: string
}

export const listed = ({
  digest,
  mediaType,
  size,
  artifactType,
  annotations,
}: Pick<PoolManifest, 'digest' | 'mediaType' | 'artifactType' | 'annotations'> & { readonly size: number }): Listed => {
  const noted = Object.entries(annotations ?? {}).toSorted(([one], [other]) => byBytes(one, other))
  return { digest, said: JSON.stringify([mediaType, size, artifactType, noted]) }
}

export const byDigest = (one: { readonly digest: string }, other: { readonly digest: string }): number =>
  byBytes(one.digest, other.digest)

export const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))
