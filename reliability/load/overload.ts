import { createHttpClient } from '../http.ts'
import { contentOf, imageOf, imageType, pushBlob } from '../image.ts'
import type { BurstReport, BurstTask } from './burst-driver.ts'
import { startDriver } from './driver.ts'
import { inPhase } from './phase.ts'
import { expect, loopFigure, type PhaseOutcome, rounded, type Stage, startProbe, summarize } from './stage.ts'

/** Many times as many uploads as may be unfinished. */
export const uploadsBeyond = async (stage: Stage): Promise<PhaseOutcome> => {
  const limit = 100
  const what = 'uploads beyond the limit'
  const limits = { STOWAGE_LIMITS_ALL_OPEN_UPLOADS: `${limit}`, STOWAGE_LIMITS_OPEN_UPLOADS: `${limit}` }
  const { result, loop } = await inPhase(stage, limits, async ({ url }) => {
    const task: BurstTask = {
      url,
      connections: 32,
      each: 100,
      method: 'POST',
      path: '/v2/load/uploads/blobs/uploads/',
      headers: {},
      body: '',
    }
    await using probe = await startProbe(stage, url)
    await using driver = await startDriver<BurstReport>('burst-driver', task)
    const probing = probe.go()
    const burst = await driver.go()
    probe.stop()
    return { burst, probed: await probing }
  })
  const { burst, probed } = result
  const { 202: begun = 0, 429: refused = 0, ...others } = burst.statuses
  return {
    figures: {
      [`${what}: begun / refused`]: `${begun} / ${refused}`,
      [`${what}: median of a refusal, ms`]: rounded(burst.refused.median, 1),
      [`${what}: p99 of a manifest meanwhile, ms`]: rounded(probed.p99, 1),
      ...loopFigure(what, loop),
    },
    failures: [
      ...summarize(what, burst.errors),
      ...summarize(`${what}, manifests meanwhile`, probed.errors),
      ...(begun === limit ? [] : [`${what}: ${begun} were begun of ${limit} that may be`]),
      ...(refused === burst.refused.withRetryAfter ? [] : [`${what}: refusals without Retry-After`]),
      ...(Object.keys(others).length === 0 ? [] : [`${what}: answered ${JSON.stringify(others)}`]),
    ],
  }
}

/** Tags that were set, a second. */
const goodput = ({ statuses, milliseconds }: BurstReport): number => ((statuses['201'] ?? 0) / milliseconds) * 1000

/** As many tags at once as there are connections: in the full size more than may wait for the disk. */
export const tagsAtOnce = async (stage: Stage): Promise<PhaseOutcome> => {
  const connections = stage.small ? 1000 : 12_000
  const what = `${connections} tags at once`
  const repository = 'load/tags'
  const image = imageOf('tags', [contentOf(Buffer.from('layer'))])
  const { result, loop, peak } = await inPhase(stage, {}, async ({ url }) => {
    using client = createHttpClient(url)
    for (const content of [image.config, ...image.layers]) expect(201, await pushBlob(client, repository, content))
    const burst = async (clients: number, each: number): Promise<BurstReport> => {
      const task: BurstTask = {
        url,
        connections: clients,
        each,
        method: 'PUT',
        path: `/v2/${repository}/manifests/tag-#`,
        headers: { 'Content-Type': imageType },
        body: image.manifest.bytes.toString(),
      }
      await using driver = await startDriver<BurstReport>('burst-driver', task)
      return await driver.go()
    }
    const before = await burst(64, 50)
    await using probe = await startProbe(stage, url)
    const probing = probe.go()
    const over = await burst(connections, 5)
    const after = await burst(64, 50)
    probe.stop()
    return { before, over, after, probed: await probing }
  })
  const { before, over, after, probed } = result
  const { 201: done = 0, 503: refused = 0, 429: told = 0, ...others } = over.statuses
  return {
    figures: {
      [`${what}: done / refused`]: `${done} / ${refused + told}`,
      [`${what}: median of a refusal, ms`]: rounded(over.refused.median, 1),
      [`${what}: tags/s before, during, after`]: [before, over, after]
        .map((each) => goodput(each).toFixed(0))
        .join(', '),
      [`${what}: p99 of a manifest meanwhile, ms`]: rounded(probed.p99, 1),
      [`${what}: peak RSS, MiB`]: rounded(peak),
      ...loopFigure(what, loop),
    },
    failures: [
      ...[before, over, after].flatMap(({ errors }) => summarize(what, errors)),
      ...summarize(`${what}, manifests meanwhile`, probed.errors),
      ...(refused + told === over.refused.withRetryAfter ? [] : [`${what}: refusals without Retry-After`]),
      ...(Object.keys(others).length === 0 ? [] : [`${what}: answered ${JSON.stringify(others)}`]),
      ...(after.statuses['201'] === 64 * 50 ? [] : [`${what}: afterwards ${JSON.stringify(after.statuses)}`]),
    ],
  }
}
