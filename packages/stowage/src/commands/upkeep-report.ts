import { StowageError } from '../failure.ts'
import { table } from './table.ts'

/** `1 blob`, `1,200 blobs`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

/** Rows that people read; `--json` has more. */
const most = 20

/** Below a sentence: the first rows of what went or would go, and how many more there are. */
export const sampleTable = (names: readonly string[], rows: readonly (readonly string[])[], total: number): string => {
  if (rows.length === 0) return ''
  const shown = rows.slice(0, most)
  const more = Math.max(total, rows.length) - shown.length
  const rest =
    more > 0 ? `\n… and ${more.toLocaleString('en')} more${rows.length > most ? ' (--json has them)' : ''}` : ''
  return `\n\n${table(names, shown, '')}${rest}`
}

interface Ended {
  readonly dryRun?: boolean
  readonly withheld?: { readonly reason: string; readonly message: string } | undefined
  readonly incomplete: boolean
}

/** Below what a dry run says: why nothing of it would be done at the moment. */
export const notNow = ({ dryRun = false, withheld }: Pick<Ended, 'dryRun' | 'withheld'>): string =>
  dryRun && withheld !== undefined ? `\n\nNot at the moment, though. ${withheld.message}` : ''

/**
 * That nothing was done, or not all of it, is no success: who runs it by a schedule shall hear of it.
 *
 * @param trustClock How to do it although the clock is in doubt.
 * @throws StowageError
 */
export const requireDone = ({ dryRun = false, withheld, incomplete }: Ended, trustClock?: string): void => {
  if (withheld !== undefined && !dryRun) {
    throw new StowageError('failed', withheld.message, {
      ...(withheld.reason === 'clock' && trustClock !== undefined && { hint: trustClock }),
    })
  }
  if (incomplete) {
    throw new StowageError('failed', 'It was cut off before its end, as when the server stops.', {
      hint: 'Run it again for the rest.',
    })
  }
}
