/** A blob that somebody may stop reading, and that is read to its end all the same: only then is it known to be whole. */
export interface Whole {
  /** For a reader that may stop early. */
  chunks(): AsyncIterable<Uint8Array>
  /** Passes over what was not read. @throws what reading throws, also when another reader has seen it before */
  drain(): Promise<void>
}

/** @param blob Read once: by whoever wants it, and by `drain`. */
export const toTheEnd = (blob: AsyncIterable<Uint8Array>): Whole => {
  const iterator = blob[Symbol.asyncIterator]()
  let failure: { readonly error: unknown } | undefined
  const next = async (): Promise<IteratorResult<Uint8Array, unknown>> => {
    try {
      return await iterator.next()
    } catch (error) {
      failure = { error }
      throw error
    }
  }
  return {
    async *chunks() {
      for (let result = await next(); result.done !== true; result = await next()) yield result.value
    },
    async drain() {
      // An iterator that has failed says that it is done.
      for (let result = await next(); result.done !== true;) result = await next()
      if (failure !== undefined) throw failure.error
    },
  }
}
