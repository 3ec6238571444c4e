import { StowageError } from '../failure.ts'

/** @throws {StowageError} `failed` */
export const parseJson = (bytes: Uint8Array, what: string): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch (error) {
    throw new StowageError('failed', `${what} is not JSON.`, { cause: error })
  }
}
