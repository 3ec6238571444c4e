import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'

export const tokenRm = defineCommand({
  usage: '<id>',
  arguments: { id: 'as stowage token ls shows it: not the secret' },
  about:
    'Removes a personal access token, or one that a client got at a login, with what was signed in with it. It holds from the next request on.',
  sides: 'server',
  examples: [['stowage token rm 4f0c2m9x7k1q8z3b', 'that token opens nothing any more']],
  async run({ args: [id], output, ...context }) {
    const removed = await askAccounts(inputOf(context), 'token-remove', { id })
    await output.result(removed, `Removed ${removed.removed}.`)
  },
})
