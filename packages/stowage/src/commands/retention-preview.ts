import { defineCommand } from '../command-line/define.ts'
import { runRetention } from './retention-run.ts'

export const retentionPreview = defineCommand({
  usage: '',
  arguments: {},
  about: 'Says which tags and manifests the rules of retention.rules would take away now, and why. Changes nothing.',
  sides: 'server',
  examples: [
    ['stowage retention preview', 'by the rules of the running server'],
    ['stowage retention preview --config new.yaml --data ./data', 'by those of a file, where no server runs'],
  ],
  async run(context) {
    await runRetention(context, { dryRun: true })
  },
})
