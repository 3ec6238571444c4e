import { ClientError, isClientError, withFacts } from '../errors.ts'
import { ParseError } from '@stowage/oci'

export type Side = 'source' | 'target'

/** Says of every error whose side it came from, unless that is said already. */
const mark = (side: Side, error: unknown): unknown => {
  if (isClientError(error)) return error.side === undefined ? withFacts(error, { side }) : error
  if (error instanceof ParseError) return new ClientError('invalid-content', error.message, { side, cause: error })
  return error
}

const onSideOf = async <T>(side: Side, work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    throw mark(side, error)
  }
}

async function* each<T>(side: Side, items: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* items
  } catch (error) {
    throw mark(side, error)
  }
}

export const onSide = Object.assign(onSideOf, { each })
