import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeMachine } from './machine.ts'
import { toMarkdown } from './markdown.ts'
import { type Options, readOptions, usage } from './options.ts'
import { toPicture } from './picture.ts'
import { checkPrerequisites } from './prerequisites.ts'
import type { BenchResult, RowResult } from './result.ts'
import { commit } from './revision.ts'
import { memoryRow } from './rows/memory.ts'
import { pushBlobRow } from './rows/push-blob.ts'
import { pushImagesRow } from './rows/push-images.ts'
import { headRow, largeBlobRow, manifestRow, smallBlobRow } from './rows/read-rows.ts'
import { inOwnDirectory, type Row } from './rows/row.ts'
import { scaleRow } from './rows/scale.ts'
import { setupOf } from './servers/all.ts'

const rows = [manifestRow, headRow, smallBlobRow, largeBlobRow, pushBlobRow, pushImagesRow, scaleRow, memoryRow]
const bench = fileURLToPath(new URL('.', import.meta.url))
const fewestRounds = 5

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  const chosen = choose(options.rows)
  const prerequisites = checkPrerequisites(options.without)
  // Absolute: servers are told of it, and nginx would take another path as one below its own.
  const parent = resolve(options.work ?? join(bench, '.work'))
  await mkdir(parent, { recursive: true })
  const work = await mkdtemp(join(parent, 'run-'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  try {
    const startedAt = new Date().toISOString()
    const machine = describeMachine(work, prerequisites.versions)
    const results: RowResult[] = []
    for (const row of chosen) {
      const directory = join(work, row.id)
      const context = { ...options, directory, wanted: prerequisites.wanted, say: (text: string) => console.log(text) }
      // One row at a time: they would measure each other.
      results.push(await inOwnDirectory(directory, () => row.run(context)))
    }
    await write(options, chosen, {
      startedAt,
      finishedAt: new Date().toISOString(),
      command: ['node bench/run.ts', ...process.argv.slice(2)].join(' '),
      commit: commit(),
      rounds: options.rounds,
      seconds: options.seconds,
      machine: machine(),
      rows: results,
      absent: [
        ...prerequisites.absent,
        ...(options.profile === undefined
          ? []
          : ['nothing, but Stowage ran under a profiler: its figures are not to be judged']),
      ],
      setup: setupOf(prerequisites.wanted),
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function choose(ids: readonly string[] | undefined): Row[] {
  if (ids === undefined) return rows
  return ids.map((id) => {
    const row = rows.find((candidate) => candidate.id === id)
    if (row === undefined)
      throw new Error(`no row '${id}': there are ${rows.map((known) => known.id).join(', ')}\n${usage}`)
    return row
  })
}

/** A run of everything goes into the repository; a trial must not take its place. */
async function write(options: Options, chosen: readonly Row[], result: BenchResult): Promise<void> {
  const whole =
    chosen.length === rows.length &&
    options.rounds >= fewestRounds &&
    options.without.length === 0 &&
    options.before === undefined &&
    options.profile === undefined
  const out = options.out ?? (whole ? bench : join(bench, '.work', 'last'))
  await mkdir(join(out, 'results'), { recursive: true })
  await writeFile(join(out, 'results', 'latest.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(join(out, 'results', 'ratios.svg'), toPicture(result))
  const page = toMarkdown(result, {
    title: 'What the bench found',
    raw: 'results/latest.json',
    picture: 'results/ratios.svg',
  })
  await writeFile(join(out, 'RESULTS.md'), page)
  console.log(`\n${page}\nWritten to ${join(out, 'RESULTS.md')}`)
}
