import type { Environment } from '../command-line/context.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'

/**
 * `SOURCE_DATE_EPOCH` (reproducible-builds.org): the time that everything made here is given. Without it nothing has a time, so
 * that the same files make the same digest.
 *
 * @throws {StowageError} `usage`
 */
export const sourceDate = ({ SOURCE_DATE_EPOCH: epoch }: Environment): Date | undefined => {
  if (epoch === undefined || epoch === '') return undefined
  // What a tar has room for.
  if (/^\d{1,10}$/.test(epoch)) return new Date(Number(epoch) * 1000)
  throw new StowageError('usage', `SOURCE_DATE_EPOCH must be seconds since 1970, not ${show(epoch)}.`)
}
