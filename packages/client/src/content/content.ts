/** Bytes that are read as often as it takes: a retry, a redirect or a second mirror begins again from here. */
export interface Content {
  /** Bytes; undefined when it is not known before the end. */
  readonly size: number | undefined
  /**
   * The bytes from `offset` (0 unless said) on. Opened anew at each call; whoever iterates it to the end, or leaves it early,
   * has closed it.
   */
  open(options?: { readonly offset?: number; readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** The same bytes as a `Blob`, where there is one: browsers send nothing else without holding all of it in memory. */
  readonly blob?: Blob
}

/** What callers may give where content is wanted. */
export type ContentLike = Content | Uint8Array | Blob | string

/** Text becomes UTF-8. */
export const toContent = (value: ContentLike): Content => {
  if (typeof value === 'string') return bytesContent(new TextEncoder().encode(value))
  if (value instanceof Uint8Array) return bytesContent(value)
  if (value instanceof Blob) return blobContent(value)
  return value
}

/** Bytes in memory as content. */
export const bytesContent = (bytes: Uint8Array): Content => ({
  size: bytes.byteLength,
  open: ({ offset = 0 } = {}) => once(bytes.subarray(offset)),
})

/** A `Blob` or `File` as content: read as often as it takes, sent in slices by browsers. */
export const blobContent = (blob: Blob): Content => ({
  size: blob.size,
  blob,
  open: ({ offset = 0 } = {}) => readStream(offset === 0 ? blob : blob.slice(offset)),
})

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes
}

async function* readStream(blob: Blob): AsyncIterable<Uint8Array> {
  yield* iterate(blob.stream())
}

/** A web stream, chunk by chunk. Safari's have no async iterator. Leaving early cancels it. */
export async function* iterate(stream: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = stream.getReader()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
    ended = true
  } finally {
    if (!ended) await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}
