import type { GarbageReport } from '@stowage/registry'
import { defineCommand } from '../command-line/define.ts'
import { duration, flag } from '../command-line/option-kinds.ts'
import { approximately } from '../terminal/bytes.ts'
import { inputOf } from './accounts-input.ts'
import { askUpkeep } from './ask.ts'
import { notNow, plural, requireDone, sampleTable } from './upkeep-report.ts'

export const gc = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Takes away blobs that no manifest has used for the grace period, and files that nothing points to. Pushes and pulls go on ' +
    'meanwhile. A server does it by itself (garbage.every).',
  options: {
    dryRun: flag('--dry-run', 'change nothing, and say what would go'),
    grace: duration('--grace <duration>', 'how long a blob must have been unused (default: garbage.grace, 24h)', {
      zero: true,
    }),
    trustClock: flag(
      '--trust-clock',
      'also after the clock of the machine was changed, and right after the first start',
    ),
  },
  sides: 'server',
  examples: [
    ['stowage gc --dry-run', 'what would go, and how much that is'],
    ['stowage gc', 'now, and not when its time has come'],
    ['stowage gc --grace 1h', 'what a push began with an hour ago and never finished, too'],
  ],
  resume: 'What was removed is removed; run it again for the rest.',
  async run({ options: { dryRun, grace, trustClock }, output, progress, call: { signal }, ...context }) {
    using _ = progress.working(dryRun ? 'Looking for garbage' : 'Collecting garbage')
    const report = await askUpkeep(
      inputOf(context),
      'garbage',
      { dryRun, trustClock, ...(grace !== undefined && { grace: grace / 1000 }) },
      signal,
    )
    await output.result(report, describe(report))
    requireDone(report, 'stowage gc --trust-clock removes it now.')
  },
})

const describe = (report: GarbageReport): string => {
  const { dryRun, links, blobs, bytes, orphans, orphanBytes, sample } = report
  const did = dryRun ? 'Would remove' : 'Removed'
  const parts = [
    `${did} ${plural(blobs, 'blob')} (${approximately(bytes)}) that no manifest uses`,
    ...(links > blobs ? [`${plural(links, 'link')} of repositories to blobs`] : []),
    ...(orphans > 0 ? [`${plural(orphans, 'file')} (${approximately(orphanBytes)}) that nothing points to`] : []),
  ]
  const rows = sample.map(({ repository, digest, size }) => [repository, digest, approximately(size)])
  const list = dryRun ? sampleTable(['REPOSITORY', 'DIGEST', 'SIZE'], rows, links) : ''
  return `${parts.length > 2 ? `${parts[0]}, ${parts.slice(1).join(' and ')}` : parts.join(' and ')}.${list}${notNow(report)}`
}
