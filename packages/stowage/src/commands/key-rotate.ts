import { defineCommand } from '../command-line/define.ts'
import { flag } from '../command-line/option-kinds.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'

export const keyRotate = defineCommand({
  usage: '',
  arguments: {},
  about:
    'Makes a new key, which signs from now on. Bearer tokens that are out stay good for as long as they were to be.',
  options: {
    revoke: flag('--revoke', 'refuse every Bearer token that is out, at once: clients get new ones by themselves'),
  },
  sides: 'server',
  examples: [
    ['stowage key rotate', 'now and then'],
    ['stowage key rotate --revoke', 'when a key may have been seen'],
  ],
  async run({ options: { revoke }, output, ...context }) {
    const key = await askAccounts(inputOf(context), 'key-rotate', { revoke })
    await output.result(
      key,
      `Key ${key.id} signs from now on.${revoke ? ' All tokens of the others are refused.' : ''}`,
    )
  },
})
