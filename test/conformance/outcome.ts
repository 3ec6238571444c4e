/**
 * Reads what the conformance program has written. Its exit code says too little: it is 0 when checks were skipped or turned
 * off, and 0 when the program could not read its configuration. So everything is asserted from the reports: what it was told
 * to test and how each API and each kind of data came out (`results.yaml`), and every single check (`junit.xml`).
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CommandResult } from '../clients/command.ts'

export interface Outcome {
  /** As the program counts: single checks and groups. */
  readonly passed: number
  readonly single: number
  /** A line (and its reason) for whatever is not a pass. */
  readonly problems: readonly string[]
}

/**
 * How much there was with everything on: the checks as the program counts them (single ones and the groups they are in),
 * the single ones, the APIs and the kinds of data. Fewer means that something was not tested.
 */
const atLeast = { checks: 1032, single: 830, apis: 28, data: 24 }

export async function readOutcome(directory: string, url: string, program: CommandResult): Promise<Outcome> {
  let results: string
  let junit: string
  try {
    results = await readFile(join(directory, 'results.yaml'), 'utf8')
    junit = await readFile(join(directory, 'junit.xml'), 'utf8')
  } catch {
    const said = `${program.stdout}\n${program.stderr}`.trim().split('\n').slice(-20).join('\n')
    return {
      passed: 0,
      single: 0,
      problems: [`the conformance program wrote no report (exit code ${program.code}):\n${said}`],
    }
  }
  const checks = readChecks(junit)
  const totals = readTotals(junit)
  const problems = [
    ...checks
      .filter(({ status }) => status !== 'passed')
      .map(({ name, status, message }) => `${name}: ${status}${message === '' ? '' : `\n${message}`}`),
    ...readSettings(results, url),
    ...readStatuses(results, 'apis', atLeast.apis),
    ...readStatuses(results, 'data', atLeast.data),
    ...['failures', 'errors', 'skipped', 'disabled']
      .filter((name) => totals(name) !== 0)
      .map((name) => `junit.xml counts ${totals(name)} ${name}`),
  ]
  const passed = totals('tests') - totals('failures') - totals('errors') - totals('skipped') - totals('disabled')
  if (totals('tests') < atLeast.checks)
    problems.push(`only ${totals('tests')} checks, expected ${atLeast.checks} or more`)
  if (checks.length < atLeast.single) problems.push(`only ${checks.length} single checks, expected ${atLeast.single}`)
  if (program.code !== 0 && problems.length === 0) {
    problems.push(`the program ended with code ${program.code} although its reports name no failure\n${program.stderr}`)
  }
  return { passed, single: checks.length, problems }
}

interface Check {
  readonly name: string
  readonly status: string
  readonly message: string
}

/** The program's own XML: each leaf of its tree is a `testcase` with a `status` of its own. */
function readChecks(junit: string): readonly Check[] {
  const cases = junit.matchAll(/<testcase name="([^"]*)"[^>]*? status="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)
  return Array.from(cases, ([, name = '', status = '', body = '']) => {
    const message = /<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? ''
    return { name: unescapeXml(name), status, message: unescapeXml(message).trim().slice(0, 2000) }
  })
}

/** The counts that the program keeps itself; one that is nought is left out of the file. */
function readTotals(junit: string): (name: string) => number {
  const [, attributes = ''] = /<testsuites ([^>]*)>/.exec(junit) ?? []
  return (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0)
}

/** Everything was on, and it was this registry that was tested. */
function readSettings(results: string, url: string): readonly string[] {
  const settings = section(results, 'config')
  const off = settings.filter((line) => line.endsWith(': false')).map((line) => `turned off: ${line.trim()}`)
  const on = settings.filter((line) => line.endsWith(': true')).length
  const expected = [`registry: ${new URL(url).host}`, 'version: dev']
  const missing = expected.filter((line) => !settings.some((setting) => setting.trim() === line))
  return [
    ...off,
    ...missing.map((line) => `results.yaml does not say "${line}"`),
    // 16 switches of APIs, 15 of data, and the caching of credentials.
    ...(on < 32 ? [`only ${on} switches are on, expected 32`] : []),
  ]
}

function readStatuses(results: string, name: string, expected: number): readonly string[] {
  const statuses = section(results, name).map((line) => line.trim())
  const problems = statuses.filter((line) => !line.endsWith(': Pass')).map((line) => `${name} in results.yaml: ${line}`)
  if (statuses.length < expected) problems.push(`only ${statuses.length} ${name} were tested, expected ${expected}`)
  return problems
}

/** The lines under a top-level key; the file is written by the program and has no other nesting than indentation. */
function section(yaml: string, key: string): readonly string[] {
  const lines = yaml.split('\n')
  const start = lines.indexOf(`${key}:`) + 1
  if (start === 0) return []
  const end = lines.findIndex((line, index) => index >= start && !line.startsWith(' '))
  return lines.slice(start, end === -1 ? undefined : end).filter((line) => line.trim() !== '')
}

function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, decimal: string) => String.fromCodePoint(Number(decimal)))
    .replace(/&(\w+);/g, (entity, name: string) => entities[name] ?? entity)
}
