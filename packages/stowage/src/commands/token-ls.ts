import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { allPages } from './pages.ts'
import { describePermission } from './permission-options.ts'
import { instant, table } from './table.ts'

export const tokenLs = defineCommand({
  usage: '[user]',
  arguments: { user: 'only the tokens of this one' },
  about:
    'Lists personal access tokens: what they may do, when they end and when they were last used. Never their secrets.',
  options: {
    refresh: flag('--refresh', 'list those that clients got at a login instead, to stay logged in'),
  },
  sides: 'server',
  examples: [
    ['stowage token ls', 'of all users'],
    ['stowage token ls ada --json', 'of one, as JSON'],
    ['stowage token ls ada --refresh', 'where ada is logged in'],
  ],
  async run({ args: [user], options: { refresh }, output, ...context }) {
    const tokens = await allPages(
      async (page) =>
        (
          await askAccounts(inputOf(context), 'token-list', {
            ...page,
            ...(refresh && { kind: 'refresh' as const }),
            ...(user !== undefined && { user }),
          })
        ).tokens,
      ({ id }) => id,
    )
    const rows = tokens.map(({ id, user: owner, label, permissions, expiresAt, lastUsedAt }) => [
      id,
      owner,
      label,
      permissions === undefined ? 'what its user may' : permissions.map(describePermission).join('; '),
      expiresAt === undefined ? 'never' : instant(expiresAt),
      instant(lastUsedAt),
    ])
    await output.result(
      { tokens },
      table(['ID', 'USER', 'LABEL', 'MAY', 'ENDS', 'LAST USED'], rows, 'There is no token.'),
    )
  },
})
