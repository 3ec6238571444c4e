import { defineCommand } from '../command-line/define.ts'
import { parseSubject } from '../config/names.ts'
import { show } from '../config/show.ts'
import { StowageError } from '../failure.ts'
import { inputOf } from './accounts-input.ts'
import { askAccounts } from './ask.ts'
import type { CommandInput } from './input.ts'
import { describePermission, readActions } from './permission-options.ts'

export const accessAllow = defineCommand({
  usage: '<subject> <repositories> <actions>',
  arguments: {
    subject: 'user:NAME, group:NAME, authenticated (everybody who logged in) or anonymous (everybody)',
    repositories: 'one, or a glob: * stands for anything, / included',
    actions: 'of pull, push, overwrite, delete and administer (all of them), with commas between',
  },
  about:
    'Adds a rule. Rules only allow, and what none allows is denied: their order means nothing. push adds what is not there, ' +
    'overwrite moves a tag that is.',
  sides: 'server',
  examples: [
    ['stowage access allow group:dev "team/*" pull,push,overwrite', 'the team pushes'],
    ['stowage access allow anonymous "public/*" pull', 'the world pulls'],
    ['stowage access allow user:ada "*" administer', 'ada does everything in every repository'],
  ],
  async run({ args: [subject, repositories, actions], output, ...context }) {
    const whom = parseSubject(subject)
    if (whom === undefined) {
      throw new StowageError(
        'usage',
        `A rule is for user:NAME, group:NAME, authenticated or anonymous, not ${show(subject)}.`,
      )
    }
    const input = inputOf(context)
    const rule = await askAccounts(input, 'rule-add', {
      subject,
      repositories,
      actions: readActions(actions),
    })
    await output.result(rule, `Rule ${rule.id}: ${rule.subject} in ${describePermission(rule)}`)
    if (whom.kind === 'user' && !(await isUser(input, whom.name))) {
      output.line(`There is no user ${whom.name} yet: the rule waits for one.`)
    }
  },
})

/** Also one of an htpasswd file: whoever something can be explained of. */
const isUser = async (input: CommandInput, name: string): Promise<boolean> => {
  try {
    await askAccounts(input, 'explain', { name, action: 'pull', repository: 'a' })
    return true
  } catch (error) {
    if (error instanceof StowageError && error.failure === 'not-found') return false
    throw error
  }
}
