import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'

export const issuerRm = defineCommand({
  usage: '<name>',
  arguments: { name: 'of an issuer' },
  about: 'Trusts an issuer no more. What its jobs have from here is refused from the next request on.',
  sides: 'server',
  examples: [['stowage issuer rm github', 'its tokens open nothing any more']],
  async run({ args: [name], output, ...context }) {
    const removed = await askAccounts(inputOf(context), 'issuer-remove', { name })
    await output.result(removed, `Removed ${removed.removed}.`)
  },
})
