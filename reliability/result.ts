import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RegistryName, Row, RowOutcome } from './row.ts'

/** What a run found, as it is kept for RELIABILITY.md. */
export interface Result extends RowOutcome {
  readonly row: string
  readonly registry: RegistryName
  readonly registryVersion: string
  readonly size: 'small' | 'full'
  readonly command: string
  /** Of the program's source. */
  readonly revision: string
  readonly machine: string
  /** ISO 8601. */
  readonly at: string
  readonly seconds: number
  readonly seed: number
}

const directory = fileURLToPath(new URL('results/', import.meta.url))

/** Only full sizes are kept: small ones say whether something broke, not how good it is. */
export const keepResult = (result: Result): void => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${result.row}.${result.registry}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
}

export const readResults = (): Result[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    // We wrote them.
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Result)

/** A row holds when it found no failure; a control, when it found some. */
export const holds = (row: Row, outcome: RowOutcome): boolean =>
  (outcome.failures.length === 0) !== (row.control === true)
