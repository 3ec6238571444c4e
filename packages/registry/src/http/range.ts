/** What to send of a blob: `end` is exclusive. */
export type RangeOutcome =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' }

/**
 * Reads a `Range` header (RFC 9110 section 14.2). A header that is malformed, has another unit or asks several ranges is
 * ignored, as the RFC allows: the whole blob is then sent.
 *
 * @param size Bytes of the blob.
 */
export const parseRange = (header: string | null, size: number): RangeOutcome => {
  if (header === null) return whole
  const spec = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header)
  if (spec === null) return whole
  const [, first = '', last = ''] = spec
  if (first === '') {
    if (last === '') return whole
    const length = Math.min(Number(last), size)
    // "A suffix-length of zero is unsatisfiable" (section 14.1.2), and so is any range of an empty representation.
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  // `5-2` is an invalid range; the field MUST then be ignored or refused. Refusing tells the client sooner.
  if (start >= size || end <= start) return { kind: 'unsatisfiable' }
  return { kind: 'part', start, end }
}

const whole: RangeOutcome = { kind: 'whole' }

/**
 * Reads the `Content-Range` of a chunk: "It MUST match the following regular expression: ^[0-9]+-[0-9]+$". Inclusive ends.
 *
 * @returns undefined when it does not match or does not describe at least one byte.
 */
export const parseChunkRange = (header: string): { first: number; last: number } | undefined => {
  const range = /^(\d{1,16})-(\d{1,16})$/.exec(header)
  if (range === null) return undefined
  const first = Number(range[1])
  const last = Number(range[2])
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || last < first) return undefined
  return { first, last }
}
