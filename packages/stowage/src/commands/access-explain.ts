import { defineCommand } from '../command-line/define.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import { readActions } from './permission-options.ts'

export const accessExplain = defineCommand({
  usage: '<who> <action> <repository>',
  arguments: {
    who: 'the name of a user, or anonymous',
    action: 'pull, push, overwrite, delete or administer',
    repository: 'team/app, or team/app:v1 where the tag matters',
  },
  about:
    'Says whether somebody may do something, and which rule decides. The rules, groups and policies of this moment are asked, as ' +
    'at a request; what a token takes away is not. While auth is off nobody is asked, and the answer says so.',
  sides: 'server',
  examples: [
    ['stowage access explain ada push team/app', 'exits with 0 when she may, and with 5 when not'],
    ['stowage access explain anonymous pull public/app', 'what anybody may'],
    ['stowage access explain ada overwrite team/app:v1', 'immutable tags are looked at, too'],
  ],
  async run({ args: [who, word, reference], output, ...context }) {
    const [action, ...others] = readActions(word)
    if (action === undefined || others.length > 0) throw new StowageError('usage', 'Ask for one action at a time.')
    const colon = reference.indexOf(':')
    const repository = colon === -1 ? reference : reference.slice(0, colon)
    const answer = await askAccounts(inputOf(context), 'explain', {
      action,
      repository,
      ...(who !== 'anonymous' && { name: who }),
      ...(colon !== -1 && { tag: reference.slice(colon + 1) }),
    })
    await output.result(answer, `${answer.allowed ? 'Allowed' : 'Denied'}. ${answer.because}${aboutAuth(answer.auth)}`)
    if (answer.allowed) return
    // While nobody is asked it is not so that they may not: the answer has said how it is.
    throw new StowageError('denied', answer.auth === false ? '' : `${who} may not ${action} ${reference}.`)
  },
})

/** Rules do not hold by being there. */
const aboutAuth = (auth: boolean | undefined): string => {
  if (auth === true) return ''
  const then = 'nobody is asked who they are, and everybody may do what policies leave possible.'
  return auth === false
    ? ` But auth is off: at present ${then}`
    : ` That is so with auth on. No server runs, and nothing says whether it will be: while it is off, ${then}`
}
