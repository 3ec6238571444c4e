import { setTimeout as pause } from 'node:timers/promises'
import { cpuSecondsOf } from '../../bench/proc.ts'
import { median } from '../../bench/statistics.ts'
import { startDriver } from './driver.ts'
import { inPhase } from './phase.ts'
import type { ProbeReport } from './probe-driver.ts'
import type { SlowReport, SlowTask } from './slow-driver.ts'
import { loopFigure, overBound, type PhaseOutcome, rounded, type Stage, startProbe, summarize } from './stage.ts'

const bytesPerSecond = 10 * 1024

interface Pulled extends ProbeReport {
  /** Microseconds of processor time that the server used for each answer, with whatever else it did meanwhile. */
  readonly cost: number
}

const middle = (reports: readonly Pulled[], of: (report: Pulled) => number): number => median(reports.map(of))
const rate = (reports: readonly Pulled[]): number => middle(reports, ({ perSecond }) => perSecond)
const cost = (reports: readonly Pulled[]): number => middle(reports, (report) => report.cost)

export const slowReaders = async (stage: Stage, readers: number): Promise<PhaseOutcome> => {
  const { blob, small, say, signal } = stage
  const [rounds, seconds] = small ? [1, 3] : [3, 10]
  const { result, peak, loop } = await inPhase(stage, {}, async ({ url, pid }) => {
    const pull = async (): Promise<Pulled> => {
      await using probe = await startProbe(stage, url, { connections: 16, rest: 0 })
      const before = cpuSecondsOf(pid)
      const pulling = probe.go()
      await pause(seconds * 1000, undefined, { signal })
      probe.stop()
      const report = await pulling
      return { ...report, cost: ((cpuSecondsOf(pid) - before) / report.answers) * 1e6 }
    }
    const task: SlowTask = { url, path: blob, readers, bytesPerSecond }
    const without: Pulled[] = []
    const beside: Pulled[] = []
    const slow: SlowReport[] = []
    // In turn, so that what else happens on the machine meets both.
    for (let round = 0; round < rounds; round += 1) {
      without.push(await pull())
      await using driver = await startDriver<SlowReport>('slow-driver', task)
      const reading = driver.go()
      beside.push(await pull())
      driver.stop()
      slow.push(await reading)
    }
    return { without, beside, slow }
  })
  const { without, beside, slow } = result
  const what = `${readers} slow readers`
  const bound = 150 + readers
  const p99 = middle(beside, (report) => report.p99)
  say(`${what}: ${rate(without).toFixed(0)} manifests/s without them, ${rate(beside).toFixed(0)} beside them`)
  const errors = slow.flatMap((report) => report.errors)
  return {
    figures: {
      [`${what}: errors`]: errors.length,
      [`${what}: manifests/s without them`]: rounded(rate(without)),
      [`${what}: manifests/s beside them`]: rounded(rate(beside)),
      // The clients need the processors, too: what the server needs says more than how many there were.
      [`${what}: processor time of a manifest without / beside them, µs`]: `${rounded(cost(without))} / ${rounded(cost(beside))}`,
      [`${what}: p99 of a manifest, ms`]: rounded(p99, 1),
      [`${what}: peak RSS, MiB (bound ${bound})`]: rounded(peak),
      ...loopFigure(what, loop),
    },
    failures: [
      ...summarize(what, errors),
      ...summarize(
        `${what}, manifests meanwhile`,
        [...without, ...beside].flatMap((report) => report.errors),
      ),
      ...overBound(what, peak, bound),
    ],
  }
}
