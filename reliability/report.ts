import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { holds, readResults, type Result } from './result.ts'
import type { RegistryName, Row } from './row.ts'

const document = fileURLToPath(new URL('../RELIABILITY.md', import.meta.url))
const begin = '<!-- figures: made by `npm run reliability -- --report` -->'
const end = '<!-- end of the figures -->'

/** Writes the figures of the full sizes into RELIABILITY.md, from the results that are kept. */
export const writeReport = async (rows: readonly Row[]): Promise<void> => {
  await writeFile(document, withFigures(await readFile(document, 'utf8'), figuresOf(rows, readResults())))
}

/** @throws Error when the document has no place for them. */
export const withFigures = (text: string, figures: string): string => {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`RELIABILITY.md must have the lines ${begin} and ${end}.`)
  return `${text.slice(0, from)}${begin}\n\n${figures}\n${text.slice(to)}`
}

export const figuresOf = (rows: readonly Row[], results: readonly Result[]): string => {
  const resultOf = (row: Row, registry: RegistryName): Result | undefined =>
    results.find((result) => result.row === row.name && result.registry === registry)
  const own = rows.map((row) => {
    const result = resultOf(row, 'stowage')
    return result === undefined
      ? `| ${row.title} | not run yet | | |`
      : `| ${row.title} | ${cell(result)} | ${verdict(row, result)} | ${minutes(result.seconds)} |`
  })
  const others = rows.flatMap((row) => {
    const [ours, theirs] = [resultOf(row, 'stowage'), resultOf(row, 'docker-registry')]
    return theirs === undefined ? [] : [`| ${row.title} | ${ours === undefined ? '' : cell(ours)} | ${cell(theirs)} |`]
  })
  const methods = rows.map((row) => `- **${row.title}** (\`${row.name}\`): ${row.method}`)
  return [
    ['| test | figures | verdict | took |', '| --- | --- | --- | --- |', ...own].join('\n'),
    others.length === 0
      ? ''
      : `The same harness, side by side:\n\n${['| test | Stowage | docker-registry |', '| --- | --- | --- |', ...others].join('\n')}`,
    methods.join('\n'),
    runsOf(results).join('\n'),
  ]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n')
}

const cell = ({ figures }: Result): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
    .join('<br>')
    .replaceAll('|', '\\|')

const verdict = (row: Row, result: Result): string => {
  const held = holds(row, result)
  if (row.control === true) return held ? 'turns red, as it must' : '**found nothing**'
  return held ? 'holds' : `**does not hold**: ${result.failures.length} failures`
}

const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`

/** How each figure was made: runs of the same command are said once. */
const runsOf = (results: readonly Result[]): string[] => [
  ...new Set(
    results
      .toSorted((one, other) => one.at.localeCompare(other.at))
      .map(
        (result) =>
          `- \`${result.command}\` at ${result.revision}, ${result.at.slice(0, 10)}: ${result.registry} ${result.registryVersion}; ${result.machine}`,
      ),
  ),
]
