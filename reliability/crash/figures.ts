import { percentile } from '../../bench/statistics.ts'
import type { RowOutcome } from '../row.ts'
import type { CrashReport } from './crash-run.ts'

/** @param cuts What they are called. */
export const outcomeOf = (report: CrashReport, cuts: 'cycles' | 'cuts'): RowOutcome => {
  const { acknowledged, tally, findings, readyAfter, renewals, examined } = report
  const ready = (percent: number): number | string =>
    readyAfter.length === 0 ? 'not measured' : Math.round(percentile(readyAfter, percent))
  return {
    figures: {
      [cuts]: report.cuts,
      'acknowledged writes': acknowledged,
      'pulls verified': tally.verified,
      lost: findings.lost(),
      'invariants broken': findings.broken(),
      ...(findings.total() > 0 && { 'of which': findings.kinds() }),
      'ready again p50 (ms)': ready(50),
      'ready again p99 (ms)': ready(99),
      ...some('store examined by doctor', examined),
      ...some('unused blobs seen collected', tally.collected),
      ...some('full stores replaced by empty ones', renewals),
      ...some('answers of 5xx', tally.serverErrors),
      ...some('answers that did not come', tally.dropped),
      ...some('pushes given up', tally.givenUp),
    },
    failures: findings.sentences,
  }
}

const some = (name: string, count: number): Record<string, number> => (count === 0 ? {} : { [name]: count })
