import { defineCommand } from '../command-line/define.ts'
import { flag, texts } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { newPassword, passwordOptions } from './new-password.ts'

export const userAdd = defineCommand({
  usage: '<name>',
  arguments: { name: 'letters, digits and ._@+-' },
  about:
    'Adds a user. What it may do is said by rules (stowage access allow); an administrator may do everything. Where there is no ' +
    'registry yet one is made, so that its first user can be there before its first start.',
  options: {
    administrator: flag('--administrator', 'may do everything'),
    groups: texts('--group <group>', 'a group it is in; may be repeated'),
    ...passwordOptions,
    noPassword: flag('--no-password', 'give it none: it can only use tokens'),
  },
  sides: 'server',
  examples: [
    ['stowage user add admin --administrator', 'the first one; asks for the password'],
    ['stowage user add ada --group dev --password-stdin < password', 'in a script'],
    ['stowage user add ci --no-password', 'for tokens alone'],
  ],
  async run({ args: [name], options, prompt, output, ...context }) {
    const { administrator, groups, passwordStdin, noPassword } = options
    if (passwordStdin && noPassword) {
      throw new StowageError(
        'usage',
        'There is a password with --password-stdin and none with --no-password: give one of them.',
      )
    }
    const password = noPassword
      ? undefined
      : await newPassword(name, passwordStdin, prompt, ', or give none with --no-password')
    const user = await askAccounts(
      inputOf(context),
      'user-add',
      { name, administrator, groups: [...groups], ...(password !== undefined && { password }) },
      (data) => output.line(`Made a new registry in ${data}.`),
    )
    await output.result(user, `Added ${user.name}.`)
  },
})
