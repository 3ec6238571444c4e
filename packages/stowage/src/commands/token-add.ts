import { defineCommand } from '../command-line/define.ts'
import { duration, text, texts } from '../command-line/option-kinds.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { readActions } from './permission-options.ts'
import { instant } from './table.ts'

export const tokenAdd = defineCommand({
  usage: '<user>',
  arguments: { user: 'whose token it is' },
  about:
    'Makes a personal access token: a password for docker login that can be less than its user, ends by itself, and can be ' +
    'removed alone. Its secret is printed on stdout, once: the registry keeps only a hash of it.',
  options: {
    label: text('--label <text>', 'what it is for'),
    repositories: texts(
      '--repository <glob>',
      'only in these repositories, as in team/* (default: all that its user may use); may be repeated',
    ),
    actions: text(
      '--actions <actions>',
      'only these, of pull, push, overwrite, delete, with commas between (default: all that its user may do)',
    ),
    expires: duration('--expires <duration>', 'how long it is good for, as in 90d (default: until it is removed)'),
  },
  sides: 'server',
  examples: [
    ['stowage token add ada --label laptop > token', 'may do what ada may'],
    ['stowage token add ci --label deploy --repository "team/*" --actions pull --expires 90d', 'may pull'],
    ['stowage token add ada --label now | docker login registry.example -u ada --password-stdin', 'to log in with'],
  ],
  async run({ args: [user], options: { label, repositories, actions, expires }, output, ...context }) {
    if (label === undefined) throw new StowageError('usage', 'Say what the token is for: --label laptop.')
    const allowed = readActions(actions ?? 'pull,push,overwrite,delete')
    const globs = repositories.length > 0 ? repositories : ['*']
    const isLess = actions !== undefined || repositories.length > 0
    const { token, secret } = await askAccounts(inputOf(context), 'token-add', {
      user,
      label,
      ...(isLess && { permissions: globs.map((glob) => ({ repositories: glob, actions: allowed })) }),
      ...(expires !== undefined && { expiresIn: Math.ceil(expires / 1000) }),
    })
    const end = token.expiresAt === undefined ? 'until it is removed' : `until ${instant(token.expiresAt)}`
    output.line(`Token ${token.id} of ${token.user}, good ${end}. Its secret is not shown again.`)
    await output.result({ token, secret }, secret)
  },
})
