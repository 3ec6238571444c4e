import { confirmDeletion, confirmOptions } from '../client-commands/confirm.ts'
import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { watchingAdministrators } from './last-administrator.ts'

export const userRm = defineCommand({
  usage: '<name>',
  arguments: { name: 'of a user' },
  about: 'Removes a user, with its tokens and the rules that name it. What it pushed stays.',
  options: confirmOptions,
  sides: 'server',
  examples: [
    ['stowage user rm ada', 'asks first, on a terminal'],
    ['stowage user rm --force ada', 'does not ask'],
  ],
  async run({ args: [name], options: { force }, prompt, output, ...context }) {
    await confirmDeletion(`Remove ${name}, with its tokens and rules?`, force, prompt)
    const input = inputOf(context)
    const removed = await watchingAdministrators(input, output, name, async () =>
      askAccounts(input, 'user-remove', { name }),
    )
    await output.result(removed, `Removed ${removed.removed}.`)
  },
})
