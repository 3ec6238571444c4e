import { defineCommand } from '../command-line/define.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { instant, table } from './table.ts'

export const keyLs = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Lists the keys that Bearer tokens are signed with. The newest signs, the others only verify what they signed.',
  sides: 'server',
  examples: [['stowage key ls', 'all keys']],
  async run({ output, ...context }) {
    const { keys } = await askAccounts(inputOf(context), 'key-list', {})
    const rows = keys.map(({ id, algorithm, createdAt, current }) => [
      id,
      algorithm,
      instant(createdAt),
      current ? 'signs' : 'verifies',
    ])
    await output.result({ keys }, table(['ID', 'ALGORITHM', 'MADE', 'USE'], rows, 'There is no key yet.'))
  },
})
