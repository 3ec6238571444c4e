/**
 * The client beside skopeo: `npm run bench:client`
 *
 *   --rows a,b      only these rows: copy-stowage sync-stowage copy-docker-registry sync-docker-registry resume
 *   --rounds 5      counted rounds; one more comes first, to warm up
 *   --out DIR       where the results go (default bench/ for a run of all rows with five rounds, else bench/.work/last)
 *   --work DIR      where the registries keep their data
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.ts'
import { toMarkdown } from '../markdown.ts'
import type { RowResult } from '../result.ts'
import { commit } from '../revision.ts'
import { inOwnDirectory } from '../rows/row.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import { stowage } from '../servers/stowage.ts'
import { copyRows } from './copy-rows.ts'
import { resumeRow } from './resume-row.ts'
import { subjects } from './subjects.ts'

const rows = [...copyRows, resumeRow]
const bench = fileURLToPath(new URL('..', import.meta.url))
const fewestRounds = 5

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
    work: { type: 'string' },
  },
})

const rounds = Number(options.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError('--rounds needs a whole number of at least 1')
const chosen = rows.filter(({ id }) => options.rows === undefined || options.rows.split(',').includes(id))
if (chosen.length === 0) throw new Error(`no such row: there are ${rows.map(({ id }) => id).join(', ')}`)

const versions: Record<string, string> = {}
for (const { name, version } of [...subjects, { name: dockerRegistry.name, version: dockerRegistry.version }]) {
  const found = version()
  if (found === undefined) throw new Error(`the bench cannot run, ${name} is missing`)
  versions[name] = found
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const parent = resolve(options.work ?? join(bench, '.work'))
await mkdir(parent, { recursive: true })
const work = await mkdtemp(join(parent, 'client-'))
try {
  const startedAt = new Date().toISOString()
  const machine = describeMachine(work, versions)
  const results: RowResult[] = []
  for (const row of chosen) {
    const directory = join(work, row.id)
    const context = { rounds, directory, say: (text: string) => console.log(text) }
    results.push(...(await inOwnDirectory(directory, async () => row.run(context))))
  }
  const whole = chosen.length === rows.length && rounds >= fewestRounds
  const out = options.out ?? (whole ? bench : join(bench, '.work', 'last'))
  await mkdir(join(out, 'results'), { recursive: true })
  const result = {
    startedAt,
    finishedAt: new Date().toISOString(),
    command: ['node bench/client/run.ts', ...process.argv.slice(2)].join(' '),
    commit: commit(),
    rounds,
    machine: machine(),
    rows: results,
    absent: [],
    setup: Object.fromEntries(
      [...subjects, stowage, dockerRegistry].map(({ name, setup }, index) => [
        index < subjects.length ? `the client ${name}` : `the registry ${name}`,
        setup,
      ]),
    ),
  }
  await writeFile(join(out, 'results', 'client.json'), `${JSON.stringify(result, null, 2)}\n`)
  const page = toMarkdown(result, { title: 'What the bench of the client found', raw: 'results/client.json' })
  await writeFile(join(out, 'CLIENT-RESULTS.md'), page)
  console.log(`\n${page}\nWritten to ${join(out, 'CLIENT-RESULTS.md')}`)
} finally {
  await rm(work, { recursive: true, force: true })
}
