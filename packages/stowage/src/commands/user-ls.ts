import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { allPages } from './pages.ts'
import { instant, table } from './table.ts'

export const userLs = defineCommand({
  usage: '',
  arguments: {},
  about: 'Lists the users of the store, by name. Those of an htpasswd file are in that file.',
  sides: 'server',
  examples: [
    ['stowage user ls', 'a table'],
    ["stowage user ls --format '{{range .Users}}{{.Name}}\\n{{end}}'", 'their names'],
  ],
  async run({ output, ...context }) {
    const users = await allPages(
      async (page) => (await askAccounts(inputOf(context), 'user-list', page)).users,
      ({ name }) => name,
    )
    const rows = users.map(({ name, administrator, groups, disabled, hasPassword, createdAt }) => [
      name,
      administrator ? 'administrator' : '-',
      groups.length === 0 ? '-' : groups.join(','),
      disabled ? 'disabled' : hasPassword ? 'password' : 'tokens only',
      instant(createdAt),
    ])
    await output.result(
      { users },
      table(
        ['NAME', 'ROLE', 'GROUPS', 'LOGS IN WITH', 'ADDED'],
        rows,
        'There is no user yet. Add one: stowage user add',
      ),
    )
  },
})
