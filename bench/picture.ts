import { formatAmount, formatRatio } from './format.ts'
import { type Outcome, outcomes } from './outcome.ts'
import type { BenchResult } from './result.ts'

const width = 1000
const left = 430
const right = 800
const rowHeight = 36

/** One bar: how long it is and where its target is marked, both as places on the axis of its panel. */
interface Bar {
  readonly outcome: Outcome
  readonly length: number
  readonly target: number
}

interface Panel {
  readonly heading: string
  readonly bars: readonly Bar[]
  readonly marks: readonly { readonly at: number; readonly label: string }[]
}

/**
 * Two panels. Above, what should be many times a peer, on a logarithmic scale, so that 20 × and 0.35 × stand in one
 * picture; below, what must stay under a ceiling, as a share of that ceiling. The black mark is the target of each row.
 */
export function toPicture(result: BenchResult): string {
  const all = result.rows.flatMap(outcomes)
  const panels = [
    ratioPanel(all.filter(({ target }) => target.direction === 'at least')),
    ceilingPanel(all.filter(({ target }) => target.direction === 'at most')),
  ].filter((panel) => panel.bars.length > 0)
  let y = 20
  const drawn = panels.map((panel) => {
    const text = drawPanel(panel, y)
    y += panelHeight(panel)
    return text
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" font-family="Helvetica, Arial, sans-serif" font-size="13">
<rect width="${width}" height="${y}" fill="#ffffff"/>
${drawn.join('\n')}
</svg>
`
}

function ratioPanel(chosen: readonly Outcome[]): Panel {
  const every = chosen.flatMap(({ figure, target }) => [figure, target.bound])
  const low = Math.min(0.2, ...every) / 1.2
  const high = Math.max(2, ...every) * 1.2
  const place = (value: number) => Math.log(value / low) / Math.log(high / low)
  return {
    heading: 'Stowage, times the peer (logarithmic; the black mark is the target)',
    bars: chosen.map((outcome) => ({ outcome, length: place(outcome.figure), target: place(outcome.target.bound) })),
    marks: [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
      .filter((value) => value >= low && value <= high)
      .map((value) => ({ at: place(value), label: `${value} ×` })),
  }
}

function ceilingPanel(chosen: readonly Outcome[]): Panel {
  const shares = chosen.map((outcome) => ({ outcome, share: outcome.figure / outcome.target.bound }))
  const high = Math.max(1.2, ...shares.map(({ share }) => share * 1.05))
  const step = high > 4 ? 1 : high > 2 ? 0.5 : 0.25
  return {
    heading: 'Share of the most that is allowed (the black mark is the ceiling)',
    bars: shares.map(({ outcome, share }) => ({ outcome, length: share / high, target: 1 / high })),
    marks: Array.from({ length: Math.floor(high / step) + 1 }, (_, index) => ({
      at: (index * step) / high,
      label: `${index * step * 100} %`,
    })),
  }
}

function panelHeight({ bars }: Panel): number {
  return 34 + bars.length * rowHeight + 44
}

function drawPanel({ heading, bars, marks }: Panel, y: number): string {
  const top = y + 34
  const bottom = top + bars.length * rowHeight
  return `<text x="20" y="${y + 14}" font-size="16" font-weight="bold" fill="#1f2933">${escape(heading)}</text>
${marks.map(({ at, label }) => drawMark(x(at), label, top, bottom)).join('\n')}
${bars.map((bar, index) => drawBar(bar, top + index * rowHeight)).join('\n')}`
}

function drawMark(at: string, label: string, top: number, bottom: number): string {
  return `<line x1="${at}" y1="${top - 4}" x2="${at}" y2="${bottom}" stroke="#d9e2ec"/>
<text x="${at}" y="${bottom + 16}" text-anchor="middle" font-size="11" fill="#52606d">${label}</text>`
}

function drawBar({ outcome: { row, target, figure, met }, length, target: goal }: Bar, y: number): string {
  const show = (value: number) => (target.peer === undefined ? formatAmount(value, row.unit) : formatRatio(value))
  const color = met ? '#2f855a' : '#c05621'
  const end = x(Math.max(0.004, length))
  return `<text x="${left - 12}" y="${y + 13}" text-anchor="end" fill="#1f2933">${escape(row.title)}</text>
<text x="${left - 12}" y="${y + 28}" text-anchor="end" font-size="11" fill="#52606d">${escape(subtitle(target))}</text>
<rect x="${left}" y="${y + 6}" width="${(Number(end) - left).toFixed(1)}" height="20" fill="${color}"/>
<line x1="${x(goal)}" y1="${y + 1}" x2="${x(goal)}" y2="${y + 31}" stroke="#1f2933" stroke-width="3"/>
<text x="${right + 14}" y="${y + 21}" fill="${color}"><tspan font-weight="bold">${escape(show(figure))}</tspan> (${target.direction} ${escape(show(target.bound))})</text>`
}

function subtitle({ subject, peer }: Outcome['target']): string {
  if (peer === undefined) return subject
  return subject === 'stowage' ? `against ${peer}` : `${subject} against ${peer}`
}

function x(share: number): string {
  return (left + share * (right - left)).toFixed(1)
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
