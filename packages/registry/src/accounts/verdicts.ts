import type { AccessControl, Purpose, Resource, Verdict } from '../access/access.ts'
import type { Action, RepositoryFilter } from '../access/grant.ts'
import { mayList, narrowing } from '../access/narrow.ts'
import type { Principal, Within } from '../access/principal.ts'
import { globsFor, type RuleBook } from '../access/rules.ts'
import type { Directory } from './directory.ts'

const allow: Verdict = { allow: true }
const logIn: Verdict = { allow: false, login: 'required' }
const otherScope: Verdict = { allow: false, login: 'insufficient-scope' }

const tooNarrow: Readonly<Record<Within['kind'], Verdict>> = {
  scopes: otherScope,
  token: { allow: false, reason: 'This token does not allow it. Use one with that permission on this repository.' },
}

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
    return mayList(principal) ? allow : otherScope
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
    case 'token':
      return tooNarrow[decision.because]
    case 'no-rule':
      return { allow: false }
  }
}

/**
 * A host's own decisions, for principals that the registry's accounts made: the permissions of a personal token and the scopes
 * of a Bearer token narrow what the host allows, too. Without it a token for one repository would be one for all of them.
 */
export const narrowed = (host: AccessControl): Pick<AccessControl, 'authorize' | 'visible'> => {
  const { authorize, visible } = host
  return {
    ...(authorize !== undefined && {
      authorize: async (principal, action, resource) =>
        narrow(await authorize(principal, action, resource), principal, action, resource),
    }),
    ...(visible !== undefined && {
      visible: async (principal, purpose) => {
        const shown = await visible(principal, purpose)
        const within = globsWithin(principal, purpose)
        if (within.length === 0) return shown
        if (shown.kind === 'all') return { kind: 'any-of', globs: ['*'], within }
        return { ...shown, within: [...(shown.within ?? []), ...within] }
      },
    }),
  }
}

const narrow = (said: Verdict, principal: Principal, action: Action, { repository }: Resource): Verdict => {
  if (!said.allow || principal.within === undefined) return said
  if (action === 'list') return mayList(principal) ? said : otherScope
  if (action === 'ping' || repository === undefined) return said
  const because = narrowing(principal, action, repository)
  if (because !== undefined) return tooNarrow[because]
  const overwriteTags = said.overwriteTags !== false && narrowing(principal, 'overwrite', repository) === undefined
  return { ...said, overwriteTags }
}

/** A list was allowed by the scope of the catalog; a mount reads the bytes of a repository and needs the scope of that one. */
const globsWithin = ({ within = [] }: Principal, purpose: Purpose): string[][] =>
  within
    .filter(({ kind }) => kind === 'token' || purpose === 'mount')
    .map(({ permissions }) => globsFor(permissions, 'pull'))

/** The repositories that may be pulled, as a condition of a query. */
const filter = (rules: RuleBook, principal: Principal, purpose: Purpose): RepositoryFilter => {
  const within = globsWithin(principal, purpose)
  const always = globsFor(rules.anonymous, 'pull')
  if (principal.administrator === true) {
    return within.length === 0 ? { kind: 'all' } : { kind: 'any-of', globs: ['*'], within, always }
  }
  const globs = globsFor(rules.permissionsOf(principal), 'pull')
  return { kind: 'any-of', globs, ...(within.length > 0 && { within, always }) }
}
