import { parseArgs } from 'node:util'

export interface Options {
  /** Ids of the rows to run; all when absent. */
  readonly rows: readonly string[] | undefined
  /** Counted rounds; one more is run first, to warm up. */
  readonly rounds: number
  /** Length of one load of a rate row. */
  readonly seconds: number
  /** Names of peers to leave out. */
  readonly without: readonly string[]
  /** Where results go; the caller decides when absent. */
  readonly out: string | undefined
  /** Where the servers keep their data; the disk under it is the disk that is measured. */
  readonly work: string | undefined
  /** A checkout of Stowage, built, to measure beside this one. */
  readonly before: string | undefined
  /** Write a processor profile of Stowage's part of each row there. */
  readonly profile: string | undefined
}

export const usage = `node bench/run.ts [--rows a,b] [--rounds 5] [--seconds 5] [--without peer,peer] [--out DIR] [--work DIR] [--before DIR] [--profile DIR]`

/** Throws an error that names the flag when a value cannot be used. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rows: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      without: { type: 'string', default: '' },
      out: { type: 'string' },
      work: { type: 'string' },
      before: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  return {
    rows: values.rows === undefined ? undefined : list(values.rows),
    rounds: positive('--rounds', values.rounds, Number.isSafeInteger),
    seconds: positive('--seconds', values.seconds, Number.isSafeInteger),
    without: list(values.without),
    out: values.out,
    work: values.work,
    before: values.before,
    profile: values.profile,
  }
}

function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '')
}

function positive(flag: string, text: string, valid: (value: number) => boolean): number {
  const value = Number(text)
  if (!valid(value) || value < 1) throw new RangeError(`${flag} needs a whole number of at least 1, got '${text}'`)
  return value
}
