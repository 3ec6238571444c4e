import { formatAmount, formatRatio } from './format.ts'
import { type Outcome, outcomes, unjudged } from './outcome.ts'
import { median } from './statistics.ts'
import { type BenchResult, type Machine, type RowResult, type Target, type Unit, values } from './result.ts'

/** Where a page and what belongs to it are. */
export interface Page {
  readonly title: string
  /** Of the raw figures, from the page. */
  readonly raw: string
  readonly picture?: string
}

/** The page that people read: first what was aimed at and what came of it, then everything that was measured. */
export function toMarkdown(result: BenchResult, { title, raw, picture }: Page): string {
  const judged = result.rows.flatMap(outcomes)
  const met = judged.filter((outcome) => outcome.met).length
  return `# ${title}

${met} of ${judged.length} targets met. Made by \`${result.command}\` at commit ${result.commit},
${result.startedAt} to ${result.finishedAt}; ${result.rounds} counted rounds${result.seconds === undefined ? '' : ` of ${result.seconds} s`} behind one to warm up.
The raw figures of every round are in [${raw}](${raw}); how to read this is in [README.md](README.md).
${picture === undefined ? '' : `\n![The ratios and their targets](${picture})\n`}
## Targets

| work | server | peer | ratio (lowest–highest round) | target | met |
|---|---|---|---|---|---|
${judged.map(outcomeLine).join('\n')}
${missing(result.rows)}
## All that was measured

Medians. In parentheses: the lowest and the highest round.

${result.rows.map(rowSection).join('\n')}
## Where it ran

${machineLines(result.machine).join('\n')}

## How the servers were set up

${Object.entries(result.setup)
  .map(([name, text]) => `- **${name}**: ${text}`)
  .join('\n')}
${result.absent.map((text) => `- left out: ${text}\n`).join('')}`
}

function outcomeLine({ row, target, figure, lowest, highest, met }: Outcome): string {
  const cells = [row.title, describeSubject(row, target), describePeer(row, target)]
  const range = `(${formatFigure(lowest, row.unit, target)}–${formatFigure(highest, row.unit, target)})`
  return `| ${[
    ...cells,
    `**${formatFigure(figure, row.unit, target)}** ${range}`,
    `${target.direction} ${formatFigure(target.bound, row.unit, target)}`,
    met ? 'yes' : '**no**',
  ].join(' | ')} |`
}

function formatFigure(value: number, unit: Unit, { peer }: Target): string {
  return peer === undefined ? formatAmount(value, unit) : formatRatio(value)
}

function describeSubject(row: RowResult, { subject, peer }: Target): string {
  return peer === undefined ? subject : withMedian(row, subject)
}

function describePeer(row: RowResult, { peer }: Target): string {
  return peer === undefined ? '' : withMedian(row, peer)
}

function withMedian(row: RowResult, name: string): string {
  const series = row.series.find((candidate) => candidate.name === name)
  return series === undefined ? name : `${name}: ${formatAmount(median(values(series)), row.unit)}`
}

function missing(rows: readonly RowResult[]): string {
  const lines = rows.flatMap((row) =>
    unjudged(row).map(
      ({ subject, peer }) => `- not judged: ${row.title}, ${subject}${peer === undefined ? '' : ` against ${peer}`}`,
    ),
  )
  return lines.length === 0 ? '' : `\n${lines.join('\n')}\n`
}

function rowSection(row: RowResult): string {
  const details = [...new Set(row.series.flatMap((series) => Object.keys(series.rounds[0]?.detail ?? {})))]
  const ours = row.series.find(({ name }) => name === 'stowage')
  const lines = row.series.map((series) => {
    const measured = values(series)
    const range = `(${formatAmount(Math.min(...measured), row.unit)}–${formatAmount(Math.max(...measured), row.unit)})`
    const lead = ours === undefined ? [] : [formatRatio(median(values(ours)) / median(measured))]
    const further = details.map((name) => detailMedian(series.rounds.map((sample) => sample.detail[name])))
    return `| ${[series.name, `${formatAmount(median(measured), row.unit)} ${range}`, ...lead, ...further].join(' | ')} |`
  })
  const head = ['', 'median', ...(ours === undefined ? [] : ['stowage is']), ...details]
  return `### ${row.title}

| ${head.join(' | ')} |
|${'---|'.repeat(head.length)}
${lines.join('\n')}
${row.notes.map((note) => `\n- ${note}`).join('')}
`
}

function detailMedian(found: readonly (number | undefined)[]): string {
  const measured = found.filter((value) => value !== undefined)
  return measured.length === 0 ? '' : Number(median(measured).toPrecision(3)).toString()
}

function machineLines(machine: Machine): string[] {
  return [
    `- Node ${machine.node}`,
    `- processor: ${machine.cpu}, ${machine.cores} cores; ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB of memory; Linux ${machine.kernel}`,
    `- disk: ${machine.disk}, ${machine.fileSystem}; 4 KiB and fsync take ${machine.fsyncMs.toFixed(2)} ms (median of 50)`,
    '- the load ran on the same machine as the servers, on the same cores, over loopback, nothing pinned',
    `- load average when it began: ${machine.loadAverageAtStart.map((load) => load.toFixed(2)).join(', ')}; the hypervisor took ${(machine.stolenCpu * 100).toFixed(1)} % of the processor time`,
    ...Object.entries(machine.versions).map(([name, version]) => `- ${name}: ${version}`),
  ]
}
