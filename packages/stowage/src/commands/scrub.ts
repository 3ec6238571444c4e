import type { ScrubReport } from '@stowage/registry'
import { defineCommand } from '../command-line/define.ts'
import { flag, size } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { approximately } from '../terminal/bytes.ts'
import { inputOf } from './accounts-input.ts'
import { askUpkeep } from './ask.ts'
import { plural, requireDone, sampleTable } from './upkeep-report.ts'

export const scrub = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Reads every blob and manifest and compares it with its digest. What is corrupt goes into quarantine: nobody gets it, and ' +
    'the next push of the same content mends it. Goes on where the last run was cut off.',
  options: {
    rate: size('--rate <size>', 'bytes a second; 0: as fast as the disk gives them (default: scrub.rate, 16MiB)'),
    fromStart: flag('--from-start', 'begin with the first blob, wherever the last run was'),
  },
  sides: 'server',
  examples: [
    ['stowage scrub', 'exits with 9 when something is corrupt'],
    ['stowage scrub --rate 0', 'as fast as possible, at night'],
  ],
  resume: 'stowage scrub goes on where it was.',
  async run({ options: { rate, fromStart }, output, progress, call: { signal }, ...context }) {
    using _ = progress.working('Reading every blob')
    const body = { fromStart, ...(rate !== undefined && { rate }) }
    const report = await askUpkeep(inputOf(context), 'scrub', body, signal)
    await output.result(report, describe(report))
    requireDone(report)
    const { corrupt, unreadable } = report
    if (corrupt.length > 0) {
      throw new StowageError(
        'problems',
        `${plural(corrupt.length, 'blob or manifest is', 'blobs or manifests are')} corrupt.`,
        {
          hint: 'Push the same images again, with docker push or stowage cp --force: that mends them. stowage doctor names them.',
        },
      )
    }
    if (unreadable > 0) {
      throw new StowageError('problems', `${plural(unreadable, 'blob')} could not be read; the log says why.`, {
        hint: 'Look after the disk, and whose the files are. Then scrub again.',
      })
    }
  },
})

const problems = {
  missing: 'its file is missing',
  size: 'it is longer or shorter',
  digest: 'its bytes are others',
  unreadable: 'the disk does not give it',
} as const

const describe = ({ blobs, bytes, manifests, corrupt, healed, unreadable }: ScrubReport): string => {
  const read = `Read ${plural(blobs, 'blob')} and ${plural(manifests, 'manifest')} (${approximately(bytes)})`
  const back = healed === 0 ? '' : ` Right again, and out of quarantine: ${healed}.`
  const not = unreadable === 0 ? '' : ` Could not be read: ${unreadable}.`
  if (corrupt.length === 0) return `${read}${unreadable === 0 ? ': all right' : ''}.${not}${back}`
  const rows = corrupt.map(({ kind, digest, problem }) => [kind, digest, problems[problem]])
  return `${read}. In quarantine now: ${corrupt.length}.${not}${back}${sampleTable(['WHAT', 'DIGEST', 'PROBLEM'], rows, corrupt.length)}`
}
