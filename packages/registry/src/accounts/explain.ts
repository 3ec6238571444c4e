import { immutableTagsOf, type Policies } from '../access/policies.ts'
import { matchesGlob, type PermissionAction } from '../access/permission.ts'
import { anonymous, type Principal } from '../access/principal.ts'
import type { Decision, Rule } from '../access/rules.ts'
import { AccountError } from './account-error.ts'
import type { Accounts, Explanation, Question } from './accounts.ts'
import { checkActions, checkRepositories, checkUserName } from './checks.ts'
import type { Directory } from './directory.ts'
import type { Htpasswd } from './passwords/htpasswd.ts'

export type Explain = Accounts['explain']

/** Asks the same rules and policies that requests meet. */
export const createExplain = (directory: Directory, policies: Policies, htpasswd: Htpasswd | undefined): Explain => {
  /** Undefined: a user that is disabled. */
  const principalOf = async (name: string | undefined): Promise<Principal | undefined> => {
    if (name === undefined) return anonymous
    const user = await directory.user(checkUserName(name))
    if (user !== undefined) {
      if (user.disabledAt !== undefined) return undefined
      return { kind: 'user', name, groups: user.groups, administrator: user.administrator }
    }
    if (htpasswd?.has(name) === true) return { kind: 'user', name }
    throw new AccountError('unknown', `There is no user ${name}.`, 'name')
  }

  return async (question) => {
    const { action, repository } = question
    checkActions([action], 'action')
    if (checkRepositories(repository, 'repository').includes('*')) {
      throw new AccountError('invalid', 'Ask for one repository, without `*`.', 'repository')
    }
    const principal = await principalOf(question.name)
    if (principal === undefined) {
      const because = `The user ${question.name ?? ''} is disabled.`
      return { allowed: false, decision: { allowed: false, because: 'disabled' }, because }
    }
    const { rules } = await directory.state()
    const decision = rules.decide(principal, action, repository)
    const policy = decision.allowed ? policyAgainst(policies, question) : undefined
    return {
      allowed: decision.allowed && policy === undefined,
      decision,
      ...(policy !== undefined && { policy }),
      because: policy === undefined ? reason(decision) : policyReasons[policy],
    }
  }
}

type PolicyName = NonNullable<Explanation['policy']>

const policyAgainst = (policies: Policies, { action, repository, tag }: Question): PolicyName | undefined => {
  const writes: readonly PermissionAction[] = ['push', 'overwrite', 'delete']
  if (policies.readOnly === true && writes.includes(action)) return 'read-only'
  if (policies.deletion === false && action === 'delete') return 'deletion-disabled'
  if (tag === undefined || (action !== 'overwrite' && action !== 'delete')) return undefined
  return immutableTagsOf(policies, repository).some((glob) => matchesGlob(glob, tag)) ? 'immutable-tag' : undefined
}

const policyReasons: Readonly<Record<PolicyName, string>> = {
  'read-only': 'A rule allows it, but the registry is read-only.',
  'deletion-disabled': 'A rule allows it, but deletion is turned off.',
  'immutable-tag': 'A rule allows it, but the tag is immutable once it is set.',
}

const reason = (decision: Decision): string => {
  if (!decision.allowed) return 'No rule allows it.'
  if (decision.by === 'administrator') return 'The user is an administrator.'
  if (decision.by === 'own') return 'It is among the permissions of the credentials themselves.'
  return `A rule allows it: ${describeRule(decision.by.rule)}.`
}

export const describeRule = ({ id, subject, repositories, actions }: Rule): string => {
  const whom = 'name' in subject ? `${subject.kind}:${subject.name}` : subject.kind
  return `${id === undefined ? 'in the configuration' : `number ${id}`}, ${whom} may ${actions.join(', ')} in ${repositories}`
}
