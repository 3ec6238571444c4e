import type { AccessControl, Purpose, Resource, Verdict } from '../access/access.ts'
import type { Action, RepositoryFilter } from '../access/grant.ts'
import type { Principal } from '../access/principal.ts'
import { globsFor, type RuleBook } from '../access/rules.ts'
import type { Directory } from './directory.ts'

const allow: Verdict = { allow: true }
const logIn: Verdict = { allow: false, login: 'required' }
const otherScope: Verdict = { allow: false, login: 'insufficient-scope' }

/** What the rules say: `authorize` and `visible` for a registry with accounts of its own. */
export const createVerdicts = (directory: Directory): Required<Pick<AccessControl, 'authorize' | 'visible'>> => ({
  authorize: (principal, action, resource) => {
    const state = directory.state()
    return state instanceof Promise
      ? state.then(({ rules }) => verdict(rules, principal, action, resource))
      : verdict(state.rules, principal, action, resource)
  },
  visible: (principal, purpose) => {
    const state = directory.state()
    return state instanceof Promise
      ? state.then(({ rules }) => filter(rules, principal, purpose))
      : filter(state.rules, principal, purpose)
  },
})

/** Whether the request came without any credentials. An anonymous token is a credential: who has it has asked for it. */
const isStranger = ({ kind, within }: Principal): boolean => kind === 'anonymous' && within === undefined

const verdict = (rules: RuleBook, principal: Principal, action: Action, { repository }: Resource): Verdict => {
  if (action === 'ping') return isStranger(principal) ? logIn : allow
  if (action === 'list') {
    if (isStranger(principal)) return logIn
    const scopes = principal.within?.filter(({ kind }) => kind === 'scopes') ?? []
    return scopes.every(({ catalog }) => catalog === true) ? allow : otherScope
  }
  if (repository === undefined) return { allow: false }
  const decision = rules.decide(principal, action, repository)
  if (decision.allowed) {
    return { allow: true, overwriteTags: action === 'push' && rules.decide(principal, 'overwrite', repository).allowed }
  }
  // With or without a token of its own, a stranger can only log in.
  if (principal.kind === 'anonymous') return logIn
  switch (decision.because) {
    case 'scopes':
      return otherScope
    case 'token':
      return { allow: false, reason: 'This token does not allow it. Use one with that permission on this repository.' }
    case 'no-rule':
      return { allow: false }
  }
}

/** The repositories that may be pulled, as a condition of a query. */
const filter = (rules: RuleBook, principal: Principal, purpose: Purpose): RepositoryFilter => {
  // A list was allowed by the scope of the catalog; a mount reads the bytes of a repository and needs the scope of that one.
  const narrowing = (principal.within ?? []).filter(({ kind }) => kind === 'token' || purpose === 'mount')
  const within = narrowing.map(({ permissions }) => globsFor(permissions, 'pull'))
  const always = globsFor(rules.anonymous, 'pull')
  if (principal.administrator === true) {
    return within.length === 0 ? { kind: 'all' } : { kind: 'any-of', globs: ['*'], within, always }
  }
  const globs = globsFor(rules.permissionsOf(principal), 'pull')
  return { kind: 'any-of', globs, ...(within.length > 0 && { within, always }) }
}
