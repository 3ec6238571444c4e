import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { runRetention } from './retention-run.ts'

export const retentionApply = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Applies the rules of retention.rules now, and not when their time has come (retention.every). stowage restore brings tags back.',
  options: { trustClock: flag('--trust-clock', 'also after the clock of the machine was changed') },
  sides: 'server',
  examples: [['stowage retention apply', 'what stowage retention preview has shown']],
  resume: 'What was removed is removed; run it again for the rest.',
  async run({ options: { trustClock }, ...context }) {
    await runRetention(context, { dryRun: false, trustClock })
  },
})
