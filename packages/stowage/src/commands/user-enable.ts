import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'

export const userEnable = defineCommand({
  usage: '<name>',
  arguments: { name: 'of a user' },
  about: 'Lets a user that was disabled in again, with the password and the tokens it had.',
  sides: 'server',
  examples: [['stowage user enable ada', 'ada gets in again']],
  async run({ args: [name], output, ...context }) {
    const user = await askAccounts(inputOf(context), 'user-change', { name, disabled: false })
    await output.result(user, `Enabled ${user.name}.`)
  },
})
