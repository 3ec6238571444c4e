import { startDriver } from './driver.ts'
import { inPhase } from './phase.ts'
import type { PushReport, PushTask } from './push-driver.ts'
import {
  loopFigure,
  overBound,
  type PhaseOutcome,
  pushSize,
  rounded,
  type Stage,
  startProbe,
  summarize,
} from './stage.ts'

/** MiB, however many push. */
const bound = 300

export const pushes = async (stage: Stage, count: number): Promise<PhaseOutcome> => {
  const { file, small, say } = stage
  const size = pushSize(small)
  const { result, peak, loop } = await inPhase(stage, {}, async ({ url }) => {
    const task: PushTask = { url, repository: 'load/pushes', count, file, size }
    await using driver = await startDriver<PushReport>('push-driver', task)
    await using probe = await startProbe(stage, url)
    const probing = probe.go()
    const report = await driver.go()
    probe.stop()
    return { report, probed: await probing }
  })
  const { report, probed } = result
  const what = `${count} pushes`
  const slowest = Math.max(...report.milliseconds) / 1000
  const rate = (report.milliseconds.length * size) / 2 ** 20 / slowest
  say(
    `${what}: ${rate.toFixed(0)} MiB/s in ${slowest.toFixed(1)} s; the client used ${report.processor.toFixed(2)} of a core`,
  )
  return {
    figures: {
      [`${what}: errors`]: report.errors.length,
      [`${what}: MiB/s`]: rounded(rate),
      [`${what}: peak RSS, MiB (bound ${bound})`]: rounded(peak),
      [`${what}: p99 of a manifest meanwhile, ms`]: rounded(probed.p99, 1),
      ...loopFigure(what, loop),
    },
    failures: [
      ...summarize(what, report.errors),
      ...summarize(`${what}, manifests meanwhile`, probed.errors),
      ...overBound(what, peak, bound),
    ],
  }
}
