import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { watchingAdministrators } from './last-administrator.ts'

export const userDisable = defineCommand({
  usage: '<name>',
  arguments: { name: 'of a user' },
  about:
    'Locks a user out: passwords, personal tokens and Bearer tokens of it are refused from the next request on. Nothing of it is deleted.',
  sides: 'server',
  examples: [['stowage user disable ada', 'nobody gets in as ada']],
  async run({ args: [name], output, ...context }) {
    const input = inputOf(context)
    const user = await watchingAdministrators(input, output, name, async () =>
      askAccounts(input, 'user-change', { name, disabled: true }),
    )
    await output.result(user, `Disabled ${user.name}.`)
  },
})
