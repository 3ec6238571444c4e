import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { describePermission } from './permission-options.ts'
import { table } from './table.ts'

export const issuerLs = defineCommand({
  usage: '',
  arguments: {},
  about: 'Lists the trusted issuers, those of the configuration too.',
  sides: 'server',
  examples: [['stowage issuer ls', 'whose tokens are taken, and for what']],
  async run({ output, ...context }) {
    const { issuers } = await askAccounts(inputOf(context), 'issuer-list', {})
    const rows = issuers.map(({ name, issuer, audience, conditions, permissions }) => [
      name,
      issuer,
      audience,
      Object.entries(conditions)
        .map(([claim, glob]) => `${claim}=${glob}`)
        .join(' '),
      permissions.map(describePermission).join('; '),
    ])
    await output.result(
      { issuers },
      table(['NAME', 'ISSUER', 'AUDIENCE', 'CLAIMS', 'MAY'], rows, 'No issuer is trusted.'),
    )
  },
})
