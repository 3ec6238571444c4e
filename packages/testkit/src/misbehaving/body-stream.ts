/** Bodies on their way: each function gives a changed stream and never holds the whole. */

/**
 * The first bytes of a body.
 *
 * @throws RangeError when it has fewer, because then the test did not see what it was to see
 */
export async function* firstBytes(body: AsyncIterable<Uint8Array>, count: number): AsyncIterable<Uint8Array> {
  let left = count
  for await (const chunk of body) {
    if (left > 0) yield chunk.subarray(0, left)
    left -= chunk.byteLength
    if (left <= 0) return
  }
  if (left > 0) throw tooShort(count, count - left)
}

/** @throws RangeError when the body has no byte there */
export async function* flippedAt(body: AsyncIterable<Uint8Array>, position: number): AsyncIterable<Uint8Array> {
  let seen = 0
  for await (const chunk of body) {
    const index = position - seen
    seen += chunk.byteLength
    if (index < 0 || index >= chunk.byteLength) {
      yield chunk
      continue
    }
    const altered = Uint8Array.from(chunk)
    altered[index] = (altered[index] ?? 0) ^ 1
    yield altered
  }
  if (seen <= position) throw tooShort(position + 1, seen)
}

export async function* followedBy(body: AsyncIterable<Uint8Array>, more: Uint8Array): AsyncIterable<Uint8Array> {
  yield* body
  yield more
}

export async function* nothing(): AsyncIterable<Uint8Array> {}

/** For as long as somebody takes it. */
export async function* endless(text: string): AsyncIterable<Uint8Array> {
  const chunk = new TextEncoder().encode(text.repeat(Math.ceil(16_384 / text.length)))
  for (;;) yield chunk
}

export const allBytes = async (body: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

/** Lets go of a body that nobody wants, and of the connection it would have come over. */
export const discard = async (body: AsyncIterable<Uint8Array>): Promise<void> => {
  // Beginning and leaving is what closes it.
  for await (const _ of body) break
}

const tooShort = (wanted: number, had: number): RangeError =>
  new RangeError(`The body has ${had} bytes, and the behaviour needs ${wanted}.`)
