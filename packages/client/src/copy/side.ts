import { ParseError } from '@stowage/oci'
import { ClientError, isClientError, withFacts } from '../errors.ts'

export type Side = 'source' | 'target'

/** Says of every error whose side it came from, unless that is said already. */
const mark = (side: Side, error: unknown): unknown => {
  if (isClientError(error)) return error.side === undefined ? withFacts(error, { side }) : error
  if (error instanceof ParseError) return new ClientError('invalid-content', error.message, { side, cause: error })
  return error
}

/** What a side is asked for. */
export const onSide = async <T>(side: Side, work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    throw mark(side, error)
  }
}

/** What a side gives piece by piece. */
export async function* eachOnSide<T>(side: Side, items: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    throw mark(side, error)
  }
}
