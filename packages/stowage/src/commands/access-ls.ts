import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { table } from './table.ts'

export const accessLs = defineCommand({
  usage: '',
  arguments: {},
  about: 'Lists the rules. Those of the configuration have no id: they are changed where they stand.',
  sides: 'server',
  examples: [['stowage access ls', 'all rules']],
  async run({ output, ...context }) {
    const { rules } = await askAccounts(inputOf(context), 'rule-list', {})
    const rows = rules.map(({ id, subject, repositories, actions }) => [
      id === undefined ? '-' : String(id),
      subject,
      repositories,
      actions.join(','),
    ])
    await output.result(
      { rules },
      table(
        ['ID', 'SUBJECT', 'REPOSITORIES', 'ACTIONS'],
        rows,
        'There is no rule: only administrators may do anything. Add one: stowage access allow',
      ),
    )
  },
})
