/**
 * The client beside skopeo: `npm run bench:client`
 *
 *   --rows a,b      only these rows: copy-stowage sync-stowage copy-docker-registry sync-docker-registry resume
 *   --rounds 5      counted rounds; one more comes first, to warm up
 *   --out DIR       where the results go (default bench/ for a run of all rows with five rounds, else bench/.work/last)
 *   --work DIR      where the registries keep their data
 */
import { parseArgs } from 'node:util'
import { dockerRegistry } from '../servers/docker-registry.ts'
import { stowage } from '../servers/stowage.ts'
import { runSuite, wholeNumber } from '../suite.ts'
import { copyRows } from './copy-rows.ts'
import { resumeRow } from './resume-row.ts'
import { subjects } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
    work: { type: 'string' },
  },
})
const rounds = wholeNumber('--rounds', options.rounds)

await runSuite({
  name: 'client',
  title: 'What the bench of the client found',
  rows: [...copyRows, resumeRow],
  contextOf: (directory) => ({ rounds, directory, say: (text: string) => console.log(text) }),
  versions: Object.fromEntries([...subjects, dockerRegistry].map(({ name, version }) => [name, version()])),
  setup: Object.fromEntries([
    ...subjects.map(({ name, setup }) => [`the client ${name}`, setup]),
    ...[stowage, dockerRegistry].map(({ name, setup }) => [`the registry ${name}`, setup]),
  ]),
  rounds,
  only: options.rows,
  out: options.out,
  work: options.work,
})
