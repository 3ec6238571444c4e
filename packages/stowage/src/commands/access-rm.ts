import { defineCommand } from '../command-line/define.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'

export const accessRm = defineCommand({
  usage: '<id>',
  arguments: { id: 'as stowage access ls shows it' },
  about: 'Removes a rule. It holds from the next request on.',
  sides: 'server',
  examples: [['stowage access rm 7', 'rule 7 allows nothing any more']],
  async run({ args: [id], output, ...context }) {
    if (!/^\d{1,15}$/.test(id)) {
      throw new StowageError('usage', `The id of a rule is a number, as stowage access ls shows it, not ${show(id)}.`)
    }
    const removed = await askAccounts(inputOf(context), 'rule-remove', { id: Number(id) })
    await output.result(removed, `Removed rule ${removed.removed}.`)
  },
})
