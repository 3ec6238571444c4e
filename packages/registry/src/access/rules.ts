import { narrowing } from './narrow.ts'
import { type Permission, type PermissionAction, permits } from './permission.ts'
import type { Principal } from './principal.ts'

/** Whom a rule is about. */
export type RuleSubject =
  | { readonly kind: 'user' | 'group'; readonly name: string }
  /** Whoever comes, with or without credentials: what is public is public to everybody, whatever token they hold. */
  | { readonly kind: 'anonymous' }
  /** Everybody who has logged in. */
  | { readonly kind: 'authenticated' }

/** Allows; there are no rules that forbid, so their order means nothing. What no rule allows is denied. */
export interface Rule extends Permission {
  readonly subject: RuleSubject
  /** Of a rule in the store; undefined for one of the configuration. */
  readonly id?: number
}

/** Why something is allowed or not, for `authorize` and for people who ask. */
export type Decision =
  | { readonly allowed: true; readonly by: { readonly rule: Rule } | 'administrator' | 'own' }
  | { readonly allowed: false; readonly because: 'no-rule' | 'token' | 'scopes' }

/** Rules by whom they are about: a verdict looks at those of its principal only. */
export interface RuleBook {
  decide(principal: Principal, action: PermissionAction, repository: string): Decision
  /** What `principal` may do by rules and by what is its own, without what narrows it. */
  permissionsOf(principal: Principal): readonly Permission[]
  readonly anonymous: readonly Rule[]
}

export const createRuleBook = (rules: readonly Rule[]): RuleBook => {
  const byUser = new Map<string, Rule[]>()
  const byGroup = new Map<string, Rule[]>()
  const anonymous: Rule[] = []
  const authenticated: Rule[] = []
  for (const rule of rules) listFor(rule).push(rule)

  function listFor({ subject }: Rule): Rule[] {
    if (subject.kind === 'anonymous') return anonymous
    if (subject.kind === 'authenticated') return authenticated
    const lists = subject.kind === 'user' ? byUser : byGroup
    const known = lists.get(subject.name)
    if (known !== undefined) return known
    const list: Rule[] = []
    lists.set(subject.name, list)
    return list
  }

  /** Besides those for everybody. */
  const rulesOf = (principal: Principal): Rule[][] => {
    if (principal.kind === 'anonymous') return []
    const own = principal.kind === 'user' ? [byUser.get(principal.name) ?? []] : []
    const groups = (principal.groups ?? []).map((group) => byGroup.get(group) ?? [])
    return [...own, ...groups, authenticated]
  }

  const basis = (principal: Principal, action: PermissionAction, repository: string): Decision => {
    if (principal.administrator === true) return { allowed: true, by: 'administrator' }
    for (const list of rulesOf(principal)) {
      const rule = list.find((each) => permits(each, action, repository))
      if (rule !== undefined) return { allowed: true, by: { rule } }
    }
    if (principal.own?.some((permission) => permits(permission, action, repository)) === true) {
      return { allowed: true, by: 'own' }
    }
    return { allowed: false, because: 'no-rule' }
  }

  return {
    anonymous,
    permissionsOf: (principal) => [...anonymous, ...rulesOf(principal).flat(), ...(principal.own ?? [])],
    decide: (principal, action, repository) => {
      const rule = anonymous.find((each) => permits(each, action, repository))
      if (rule !== undefined) return { allowed: true, by: { rule } }
      const decision = basis(principal, action, repository)
      if (!decision.allowed) return decision
      const because = narrowing(principal, action, repository)
      return because === undefined ? decision : { allowed: false, because }
    },
  }
}

/** The globs of all repositories on which one of the permissions permits `action`. */
export const globsFor = (permissions: readonly Permission[], action: PermissionAction): string[] => [
  ...new Set(
    permissions
      .filter(({ actions }) => actions.includes(action) || actions.includes('administer'))
      .map(({ repositories }) => repositories),
  ),
]
