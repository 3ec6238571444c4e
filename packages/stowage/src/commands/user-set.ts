import type { User } from '@stowage/registry'
import { defineCommand } from '../command-line/define.ts'
import { flag, texts, toggle } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { watchingAdministrators } from './last-administrator.ts'

export const userSet = defineCommand({
  usage: '<name>',
  arguments: { name: 'of a user' },
  about: 'Changes the groups of a user, or whether it is an administrator. It holds from the next request on.',
  options: {
    administrator: toggle('--administrator', 'may do everything; --no-administrator: only what rules allow'),
    groups: texts('--group <group>', 'a group it is in, and no other than those that are given; may be repeated'),
    noGroups: flag('--no-groups', 'it is in no group'),
  },
  sides: 'server',
  examples: [
    ['stowage user set ada --group dev --group ops', 'in these two groups'],
    ['stowage user set ada --no-administrator', 'an administrator no more'],
  ],
  async run({ args: [name], options: { administrator, groups, noGroups }, output, ...context }) {
    if (administrator === undefined && groups.length === 0 && !noGroups) {
      throw new StowageError(
        'usage',
        'Say what to change: --administrator, --no-administrator, --group or --no-groups.',
      )
    }
    if (groups.length > 0 && noGroups) throw new StowageError('usage', 'Give --group or --no-groups, not both.')
    const input = inputOf(context)
    const change = async (): Promise<User> =>
      askAccounts(input, 'user-change', {
        name,
        ...(administrator !== undefined && { administrator }),
        ...((groups.length > 0 || noGroups) && { groups: [...groups] }),
      })
    const user = await (administrator === false ? watchingAdministrators(input, output, name, change) : change())
    await output.result(user, `Changed ${user.name}.`)
  },
})
