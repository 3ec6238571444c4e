import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { commit } from '../bench/revision.ts'
import { dockerRegistry } from '../bench/servers/docker-registry.ts'
import { stowage } from '../bench/servers/stowage.ts'
import { writeReport } from './report.ts'
import { holds, keepResult } from './result.ts'
import type { RegistryName, Row, RowOutcome } from './row.ts'
import { rows } from './rows.ts'

const usage = `node reliability/run.ts [--full] [--rows a,b] [--registry docker-registry] [--seed N] [--list] [--report]`

const versions: Record<RegistryName, () => string | undefined> = {
  stowage: stowage.version,
  'docker-registry': dockerRegistry.version,
}

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    rows: { type: 'string' },
    registry: { type: 'string', default: 'stowage' },
    seed: { type: 'string' },
    list: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted.abort(new Error(`interrupted by ${signal}`))
    // A row that does not end by itself has half a minute to clean up.
    setTimeout(() => process.exit(130), 30_000).unref()
  })
}

if (values.help) console.log(usage)
else if (values.list) for (const { name, title } of rows) console.log(`${name.padEnd(18)} ${title}`)
else if (values.report) await writeReport(rows)
else process.exitCode = (await runAll()) ? 0 : 1

function say(line: string): void {
  console.log(`  ${line}`)
}

async function runAll(): Promise<boolean> {
  const registry = registryNamed(values.registry)
  const seed = values.seed === undefined ? Math.trunc(Math.random() * 0x7fff_ffff) : Number(values.seed)
  const size = values.full ? 'full' : 'small'
  let passed = 0
  let failed = 0
  for (const row of chosen(registry, size)) {
    if (interrupted.signal.aborted) break
    const held = await runRow(row, registry, size, seed)
    if (held) passed += 1
    else failed += 1
  }
  console.log(`${passed} passed, ${failed} failed`)
  // A run of nothing shows nothing.
  return failed === 0 && passed > 0
}

async function runRow(row: Row, registry: RegistryName, size: 'small' | 'full', seed: number): Promise<boolean> {
  console.log(`\n${row.name}: ${row.title} (${registry}, ${size}, seed ${seed})`)
  const directory = await mkdtemp(join(tmpdir(), `stowage-reliability-${row.name}-`))
  const at = new Date().toISOString()
  const began = performance.now()
  let outcome: RowOutcome
  let broken: string | undefined
  try {
    outcome = await row.run({ size, registry, directory, seed, say, signal: interrupted.signal })
  } catch (error) {
    // Not a failure of the registry, which a control would take for its own: the row itself did not work.
    broken = error instanceof Error ? (error.stack ?? error.message) : String(error)
    outcome = { figures: {}, failures: [] }
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 })
  }
  const seconds = (performance.now() - began) / 1000
  if (broken !== undefined) {
    console.log(`  the row could not be run after ${seconds.toFixed(1)} s: ${broken}`)
    return false
  }
  const held = holds(row, outcome)
  for (const [name, value] of Object.entries(outcome.figures)) console.log(`  ${name}: ${value}`)
  for (const failure of outcome.failures.slice(0, 20))
    console.log(`  ${row.control === true ? 'found' : 'FAILED'}: ${failure}`)
  console.log(
    `  ${held ? 'holds' : row.control === true ? 'FAILED: the control found nothing' : 'does not hold'} (${seconds.toFixed(1)} s)`,
  )
  if (size === 'full') {
    const command = ['npm run reliability --', ...process.argv.slice(2)].join(' ')
    const failures = outcome.failures.slice(0, 100)
    const about = { row: row.name, registry, registryVersion: versions[registry]() ?? 'unknown', size, command }
    keepResult({
      ...about,
      revision: commit(),
      machine: machine(),
      at,
      seconds,
      seed,
      figures: outcome.figures,
      failures,
    })
  }
  return held
}

function chosen(registry: RegistryName, size: 'small' | 'full'): readonly Row[] {
  const names = values.rows?.split(',')
  for (const name of names ?? []) {
    if (!rows.some((row) => row.name === name)) throw new Error(`There is no row ${name}. See --list.`)
  }
  return rows.filter((row) => {
    if (registry !== 'stowage' && !row.portable) return false
    return names === undefined ? size === 'full' || row.onlyFull !== true : names.includes(row.name)
  })
}

function registryNamed(name: string): RegistryName {
  if (name in versions) return name as RegistryName
  throw new Error(`There is no registry ${name}; there are ${Object.keys(versions).join(', ')}.`)
}

function machine(): string {
  const [cpu] = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  const place = execFileSync('findmnt', ['--noheadings', '--output', 'FSTYPE', '-T', tmpdir()], {
    encoding: 'utf8',
  }).trim()
  return `${cpus().length} cores (${cpu?.model ?? 'unknown'}), ${gibibytes} GiB, Linux ${release()}, ${place}, Node ${process.version}`
}
