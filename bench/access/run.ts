/**
 * What it costs to know who asks: `npm run bench:access`
 *
 *   --rows a,b      only these rows: bearer wrong-passwords
 *   --rounds 5      counted rounds; one more comes first, to warm up
 *   --seconds 5     length of one load
 *   --out DIR       where the results go (default bench/ for a run of all rows with five rounds, else bench/.work/last)
 *   --work DIR      where the registries keep their data
 */
import { parseArgs } from 'node:util'
import { versionOf } from '../child.ts'
import type { RowContext } from '../rows/row.ts'
import { stowage } from '../servers/stowage.ts'
import { stowageWithAccounts } from '../servers/stowage-with-accounts.ts'
import { runSuite, wholeNumber } from '../suite.ts'
import { bearerRow } from './bearer-row.ts'
import { wrongPasswordsRow } from './wrong-passwords-row.ts'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    out: { type: 'string' },
    work: { type: 'string' },
  },
})
const rounds = wholeNumber('--rounds', options.rounds)
const seconds = wholeNumber('--seconds', options.seconds)

await runSuite({
  name: 'access',
  title: 'What it costs to know who asks',
  rows: [bearerRow, wrongPasswordsRow].map((row) => ({
    ...row,
    run: async (context: RowContext) => [await row.run(context)],
  })),
  contextOf: (directory) => ({
    rounds,
    seconds,
    directory,
    profile: undefined,
    wanted: () => true,
    say: (text: string) => console.log(text),
  }),
  versions: { stowage: stowage.version(), wrk: versionOf('wrk', ['-v']) },
  setup: Object.fromEntries([stowage, stowageWithAccounts].map(({ name, setup }) => [name, setup])),
  rounds,
  seconds,
  only: options.rows,
  out: options.out,
  work: options.work,
})
