import { createDigester, type Digest } from '@stowage/oci'
import type { CallOptions } from '../content/ports.ts'
import { type ClientError, isClientError } from '../errors.ts'
import type { Place, RepositoryContext } from './place.ts'
import { leaveAlone } from './sick-mirrors.ts'

/** One reading of a blob. */
export interface Reading {
  readonly context: RepositoryContext
  /** To be told where the next bytes are from. */
  readonly comesFrom: (place: Place) => void
}

/**
 * Bytes that turn out to be wrong when some of them came from a mirror are read again without that one. What was given out by then
 * cannot be taken back: where the right bytes begin otherwise, it is the first error that is thrown.
 */
export async function* fromAnotherPlace(
  context: RepositoryContext,
  { onRetry }: CallOptions,
  read: (reading: Reading) => AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const { own, hash, transport } = context
  let { readFrom } = context
  /** What was given out before this reading. */
  let given: { readonly size: number; readonly digest: Digest; readonly failure: ClientError } | undefined
  for (;;) {
    if (readFrom.every((place) => place === own) && given === undefined) {
      yield* read({ context, comesFrom: () => {} })
      return
    }
    const used = new Set<Place>()
    const known = createDigester(hash)
    const all = createDigester(hash)
    const toPassOver = given?.size ?? 0
    let at = 0
    let differs = false
    try {
      const comesFrom = (place: Place): void => void (place === own || used.add(place))
      for await (const chunk of read({ context: { ...context, readFrom }, comesFrom })) {
        const passedOver = chunk.subarray(0, Math.max(0, toPassOver - at))
        at += chunk.byteLength
        all.update(chunk)
        if (given !== undefined && passedOver.byteLength > 0) {
          known.update(passedOver)
          differs = at >= toPassOver && known.digest() !== given.digest
          if (differs) throw given.failure
        }
        if (passedOver.byteLength < chunk.byteLength) yield chunk.subarray(passedOver.byteLength)
      }
      return
    } catch (error) {
      if (differs || used.size === 0 || !isClientError(error, 'digest-mismatch')) throw error
      for (const place of used) leaveAlone(transport, place, error)
      readFrom = readFrom.filter((place) => !used.has(place))
      if (given === undefined || at >= toPassOver) given = { size: at, digest: all.digest(), failure: error }
      onRetry?.(error)
    }
  }
}
