import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { newPassword, passwordOptions } from './new-password.ts'

export const userPasswd = defineCommand({
  usage: '<name>',
  arguments: { name: 'of a user' },
  about: 'Sets the password of a user. What was signed in with the old one has to log in again; personal tokens stay.',
  options: passwordOptions,
  sides: 'server',
  examples: [
    ['stowage user passwd ada', 'asks for the password'],
    ['stowage user passwd ada --password-stdin < password', 'in a script'],
  ],
  async run({ args: [name], options: { passwordStdin }, prompt, output, ...context }) {
    const password = await newPassword(name, passwordStdin, prompt)
    const user = await askAccounts(inputOf(context), 'user-password', { name, password })
    await output.result(user, `Changed the password of ${user.name}.`)
  },
})
