import { median, ratio } from './statistics.ts'
import { type RowResult, type Series, type Target, values } from './result.ts'

/** A target held against what was measured. */
export interface Outcome {
  readonly row: RowResult
  readonly target: Target
  /** A ratio when the target names a peer, else an amount in the unit of the row. */
  readonly figure: number
  readonly lowest: number
  readonly highest: number
  readonly met: boolean
}

/** One outcome a target whose series are in the result; a row that ran without one of its series is left out by name. */
export function outcomes(row: RowResult): Outcome[] {
  return row.targets.flatMap((target) => {
    const subject = find(row, target.subject)
    if (subject === undefined) return []
    if (target.peer === undefined) return [judge(row, target, amount(values(subject)))]
    const peer = find(row, target.peer)
    return peer === undefined ? [] : [judge(row, target, against(values(subject), values(peer)))]
  })
}

/** Targets that cannot be judged because a series is missing. */
export function unjudged(row: RowResult): Target[] {
  return row.targets.filter(
    ({ subject, peer }) => find(row, subject) === undefined || (peer !== undefined && find(row, peer) === undefined),
  )
}

type Figures = Pick<Outcome, 'figure' | 'lowest' | 'highest'>

function amount(measured: readonly number[]): Figures {
  return { figure: median(measured), lowest: Math.min(...measured), highest: Math.max(...measured) }
}

function against(subject: readonly number[], peer: readonly number[]): Figures {
  const { ofMedians, lowest, highest } = ratio(subject, peer)
  return { figure: ofMedians, lowest, highest }
}

function judge(row: RowResult, target: Target, figures: Figures): Outcome {
  const met = target.direction === 'at least' ? figures.figure >= target.bound : figures.figure <= target.bound
  return { row, target, ...figures, met }
}

function find(row: RowResult, name: string): Series | undefined {
  return row.series.find((series) => series.name === name)
}
