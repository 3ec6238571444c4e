import { resolve } from 'node:path'
import { defineCommand } from '../command-line/define.ts'
import { StowageError } from '../failure.ts'
import { approximately } from '../terminal/bytes.ts'
import { inputOf } from './accounts-input.ts'
import { askUpkeep } from './ask.ts'
import { plural } from './upkeep-report.ts'

export const backup = defineCommand({
  usage: '<directory>',
  arguments: { directory: 'where to; it is made, or must be empty' },
  about:
    'Copies the whole registry, as it is at one moment, while it is served. The copy is a data directory: stowage serve --data ' +
    'serves it. It is as private as the registry.',
  sides: 'server',
  examples: [
    ['stowage backup /mnt/backup/2026-11-24', 'the server writes there: it must be allowed to'],
    ['stowage backup /mnt/new && stowage doctor --deep --data /mnt/new', 'and is the copy whole?'],
  ],
  resume: 'What was copied is removed again.',
  async run({ args: [directory], output, progress, call: { signal }, ...context }) {
    using _ = progress.working('Copying')
    const made = await askUpkeep(inputOf(context), 'backup', { target: resolve(directory) }, signal)
    const { target, blobs, bytes, linked, gone, damaged } = made
    const links = linked === 0 ? '' : `, ${linked === blobs ? 'all' : linked.toLocaleString('en')} as hard links`
    const deleted = gone === 0 ? '' : ` Deleted meanwhile, and not in it: ${plural(gone, 'blob')}.`
    await output.result(
      made,
      `Copied to ${target}: the database, and ${plural(blobs, 'blob')} (${approximately(bytes)})${links}.${deleted}`,
    )
    const [first] = damaged
    if (first === undefined) return
    throw new StowageError(
      'problems',
      `${plural(damaged.length, 'blob')} of the registry could not be copied: ${first.digest}${damaged.length > 1 ? ' and others' : ''}.`,
      { hint: 'Everything else is in the copy. stowage doctor says what is wrong in the registry.' },
    )
  },
})
