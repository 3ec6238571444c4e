import { startDriver } from './driver.ts'
import { inPhase } from './phase.ts'
import type { PullReport, PullTask } from './pull-driver.ts'
import { loopFigure, overBound, type PhaseOutcome, rounded, type Stage, startProbe, summarize } from './stage.ts'

/** Two processes that pull: one alone might be slower than the registry. */
const drivers = 2

/** The slowest of the pulls may take so many times as long as the fastest. */
const fairness = 5

export const pulls = async (stage: Stage, streams: number): Promise<PhaseOutcome> => {
  const { blob, file, blobSize, say } = stage
  const { result, peak, loop } = await inPhase(stage, {}, async ({ url }) => {
    const task: PullTask = { url, path: blob, connections: Math.ceil(streams / drivers), file, size: blobSize }
    await using one = await startDriver<PullReport>('pull-driver', task)
    await using other = await startDriver<PullReport>('pull-driver', task)
    await using probe = await startProbe(stage, url)
    const probing = probe.go()
    const reports = await Promise.all([one.go(), other.go()])
    probe.stop()
    return { reports, probed: await probing }
  })
  const { reports, probed } = result
  const times = reports.flatMap(({ milliseconds }) => milliseconds)
  const errors = reports.flatMap((report) => report.errors)
  const [fastest, slowest] = [Math.min(...times), Math.max(...times)]
  const ratio = slowest / fastest
  const what = `${streams} pulls`
  const bound = 150 + streams
  const rate = (times.length * blobSize) / 2 ** 20 / (slowest / 1000)
  const processors = reports.map(({ processor }) => processor.toFixed(2)).join(' and ')
  say(`${what}: ${rate.toFixed(0)} MiB/s in ${(slowest / 1000).toFixed(1)} s; the clients used ${processors} of a core`)
  return {
    figures: {
      [`${what}: errors`]: errors.length,
      [`${what}: MiB/s`]: rounded(rate),
      [`${what}: slowest / fastest`]: rounded(ratio, 2),
      [`${what}: peak RSS, MiB (bound ${bound})`]: rounded(peak),
      [`${what}: p99 of a manifest meanwhile, ms`]: rounded(probed.p99, 1),
      ...loopFigure(what, loop),
    },
    failures: [
      ...summarize(what, errors),
      ...summarize(`${what}, manifests meanwhile`, probed.errors),
      ...overBound(what, peak, bound),
      ...(ratio < fairness ? [] : [`${what}: the slowest took ${ratio.toFixed(1)} times as long as the fastest`]),
    ],
  }
}
