import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeMachine } from './machine.ts'
import { toMarkdown } from './markdown.ts'
import type { RowResult } from './result.ts'
import { commit } from './revision.ts'
import { inOwnDirectory } from './rows/row.ts'

export interface SuiteRow<Context extends { readonly directory: string }> {
  /** What `--rows` calls it. */
  readonly id: string
  readonly run: (context: Context) => Promise<readonly RowResult[]>
}

export interface Suite<Context extends { readonly directory: string }> {
  /** Names its files: `results/<name>.json` and `<NAME>-RESULTS.md`. */
  readonly name: string
  readonly title: string
  readonly rows: readonly SuiteRow<Context>[]
  readonly contextOf: (directory: string) => Context
  /** What takes part, with its version; undefined when it is missing. */
  readonly versions: Readonly<Record<string, string | undefined>>
  readonly setup: Readonly<Record<string, string>>
  readonly rounds: number
  readonly seconds?: number
  /** Comma-separated ids; all when absent. */
  readonly only: string | undefined
  readonly out: string | undefined
  readonly work: string | undefined
}

const bench = fileURLToPath(new URL('.', import.meta.url))
const fewestRounds = 5

/** Runs a bench of one subject and writes its page; a trial (fewer rows or rounds) goes to `bench/.work/last`. */
export async function runSuite<Context extends { readonly directory: string }>(suite: Suite<Context>): Promise<void> {
  const { rounds, seconds, only } = suite
  const chosen = suite.rows.filter(({ id }) => only === undefined || only.split(',').includes(id))
  if (chosen.length === 0) throw new Error(`no such row: there are ${suite.rows.map(({ id }) => id).join(', ')}`)
  const versions: Record<string, string> = {}
  for (const [name, version] of Object.entries(suite.versions)) {
    if (version === undefined) throw new Error(`the bench cannot run, ${name} is missing`)
    versions[name] = version
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const parent = resolve(suite.work ?? join(bench, '.work'))
  await mkdir(parent, { recursive: true })
  const work = await mkdtemp(join(parent, `${suite.name}-`))
  try {
    const startedAt = new Date().toISOString()
    const machine = describeMachine(work, versions)
    const results: RowResult[] = []
    for (const row of chosen) {
      const directory = join(work, row.id)
      // One row at a time: they would measure each other.
      results.push(...(await inOwnDirectory(directory, async () => row.run(suite.contextOf(directory)))))
    }
    const whole = chosen.length === suite.rows.length && rounds >= fewestRounds
    const out = suite.out ?? (whole ? bench : join(bench, '.work', 'last'))
    await mkdir(join(out, 'results'), { recursive: true })
    const result = {
      startedAt,
      finishedAt: new Date().toISOString(),
      command: [`node bench/${suite.name}/run.ts`, ...process.argv.slice(2)].join(' '),
      commit: commit(),
      rounds,
      ...(seconds !== undefined && { seconds }),
      machine: machine(),
      rows: results,
      absent: [],
      setup: suite.setup,
    }
    const raw = `results/${suite.name}.json`
    const file = `${suite.name.toUpperCase()}-RESULTS.md`
    await writeFile(join(out, raw), `${JSON.stringify(result, null, 2)}\n`)
    const page = toMarkdown(result, { title: suite.title, raw })
    await writeFile(join(out, file), page)
    console.log(`\n${page}\nWritten to ${join(out, file)}`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** @throws RangeError that names the option. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`${option} needs a whole number of at least 1`)
}
