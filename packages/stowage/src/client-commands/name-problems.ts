import { ParseError } from '@stowage/oci'
import { StowageError } from '../failure.ts'

/** Has an error say what it is that is no manifest, config or index. */
export const nameProblems = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new StowageError('failed', `${what}: ${error.message}`, { cause: error })
  }
}
