import { describe, expect, it } from 'vitest'
import type { Permission } from './permission.ts'
import { anonymous, type Principal } from './principal.ts'
import { createRuleBook, globsFor, type Rule } from './rules.ts'

const rule = (subject: Rule['subject'], repositories: string, ...actions: Permission['actions']): Rule => ({
  subject,
  repositories,
  actions,
})

const rules = createRuleBook([
  rule({ kind: 'anonymous' }, 'public/*', 'pull'),
  rule({ kind: 'authenticated' }, 'shared/*', 'pull'),
  rule({ kind: 'user', name: 'ada' }, 'team/*', 'pull', 'push'),
  rule({ kind: 'group', name: 'dev' }, 'team/*', 'overwrite'),
])

const ada: Principal = { kind: 'user', name: 'ada' }

describe('a book of rules', () => {
  it('denies what no rule allows', () => {
    expect(rules.decide(ada, 'pull', 'other/a')).toEqual({ allowed: false, because: 'no-rule' })
    expect(rules.decide(anonymous, 'pull', 'team/a')).toEqual({ allowed: false, because: 'no-rule' })
    expect(rules.decide(anonymous, 'pull', 'shared/a').allowed).toBe(false)
  })

  it('allows by user, group, login and to everybody, and says by which rule', () => {
    expect(rules.decide(ada, 'push', 'team/a')).toMatchObject({ by: { rule: { subject: { name: 'ada' } } } })
    expect(rules.decide(ada, 'overwrite', 'team/a').allowed).toBe(false)
    expect(rules.decide({ ...ada, groups: ['dev'] }, 'overwrite', 'team/a').allowed).toBe(true)
    expect(rules.decide(ada, 'pull', 'shared/a').allowed).toBe(true)
    expect(rules.decide(anonymous, 'pull', 'public/a').allowed).toBe(true)
  })

  it('knows a user from a workload or a stranger of the same name', () => {
    expect(rules.decide({ kind: 'workload', name: 'ada' }, 'push', 'team/a').allowed).toBe(false)
    expect(rules.decide({ kind: 'anonymous', name: 'ada', groups: ['dev'] }, 'overwrite', 'team/a').allowed).toBe(false)
  })

  it('lets administrators do everything', () => {
    expect(rules.decide({ ...ada, administrator: true }, 'delete', 'any')).toEqual({
      allowed: true,
      by: 'administrator',
    })
  })

  it('narrows by every list, administrators too, but never what is public', () => {
    const token: Principal['within'] = [{ kind: 'token', permissions: [{ repositories: 'team/*', actions: ['pull'] }] }]
    const scopes: Principal['within'] = [
      { kind: 'scopes', permissions: [{ repositories: 'team/a', actions: ['pull'] }] },
    ]
    expect(rules.decide({ ...ada, within: token }, 'push', 'team/a')).toEqual({ allowed: false, because: 'token' })
    const both = { ...ada, administrator: true, within: [...token, ...scopes] }
    expect(rules.decide(both, 'pull', 'team/a').allowed).toBe(true)
    expect(rules.decide(both, 'pull', 'team/b')).toEqual({ allowed: false, because: 'scopes' })
    expect(rules.decide(both, 'pull', 'other/a')).toEqual({ allowed: false, because: 'token' })
    expect(rules.decide(both, 'pull', 'public/a').allowed).toBe(true)
    // A token widens nothing.
    expect(
      rules.decide(
        { ...ada, within: [{ kind: 'token', permissions: [{ repositories: '*', actions: ['administer'] }] }] },
        'delete',
        'team/a',
      ).allowed,
    ).toBe(false)
  })

  it('adds what is a principal’s own', () => {
    const job: Principal = { kind: 'workload', name: 'ci:1', own: [{ repositories: 'ci/*', actions: ['push'] }] }
    expect(rules.decide(job, 'push', 'ci/a')).toEqual({ allowed: true, by: 'own' })
    expect(rules.decide(job, 'pull', 'ci/a').allowed).toBe(false)
    expect(globsFor(rules.permissionsOf(job), 'push')).toEqual(['ci/*'])
    expect(globsFor(rules.permissionsOf(job), 'pull')).toEqual(['public/*', 'shared/*'])
  })
})
