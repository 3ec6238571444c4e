import { describe, expect, it } from 'vitest'
import { anonymous, type Principal, type Within } from '../access/principal.ts'
import { createRuleBook } from '../access/rules.ts'
import type { Directory } from './directory.ts'
import { createVerdicts } from './verdicts.ts'

const rules = createRuleBook([
  { subject: { kind: 'anonymous' }, repositories: 'public/*', actions: ['pull'] },
  { subject: { kind: 'user', name: 'ada' }, repositories: 'team/*', actions: ['pull', 'push'] },
])
const state = { rules, issuers: [], version: 1 }
const verdicts = createVerdicts({ state: () => state } as unknown as Directory)
// Without a freshly read state the same comes as a promise.
const later = createVerdicts({ state: async () => state } as unknown as Directory)

const scopes = (catalog: boolean, ...permissions: Within['permissions']): Within[] => [
  { kind: 'scopes', permissions, catalog },
]
const ada: Principal = { kind: 'user', name: 'ada' }
const guest: Principal = { ...anonymous, within: scopes(false) }

describe('verdicts by rules', () => {
  it.each<[string, Principal, 'ping' | 'list' | 'pull' | 'push' | 'delete', string | undefined, object]>([
    [
      'a stranger has to log in, also to ask whether this is a registry',
      anonymous,
      'ping',
      undefined,
      { login: 'required' },
    ],
    ['an anonymous token is enough for that', guest, 'ping', undefined, { allow: true }],
    ['a stranger sees no list', anonymous, 'list', undefined, { login: 'required' }],
    ['a token without the catalog’s scope sees none', guest, 'list', undefined, { login: 'insufficient-scope' }],
    ['one with it does', { ...anonymous, within: scopes(true) }, 'list', undefined, { allow: true }],
    ['whoever logged in does', ada, 'list', undefined, { allow: true }],
    ['what is public is pulled by strangers', anonymous, 'pull', 'public/a', { allow: true }],
    ['what is not is answered with a challenge', anonymous, 'pull', 'team/a', { login: 'required' }],
    ['so it is with an anonymous token', guest, 'pull', 'team/a', { login: 'required' }],
    ['a user who may not is told so', ada, 'pull', 'other/a', { allow: false }],
    ['who may push may not move tags', ada, 'push', 'team/a', { allow: true, overwriteTags: false }],
    [
      'a scope that is missing can be had',
      { ...ada, within: scopes(false) },
      'push',
      'team/a',
      { login: 'insufficient-scope' },
    ],
    ['not when its holder may not anyway', { ...ada, within: scopes(false) }, 'delete', 'team/a', { allow: false }],
    [
      'nor when the personal token does not allow it',
      { ...ada, within: [{ kind: 'token', permissions: [] }] },
      'push',
      'team/a',
      { allow: false },
    ],
  ])('%s', async (_title, principal, action, repository, expected) => {
    const verdict = await verdicts.authorize(principal, action, { repository })
    expect(verdict).toMatchObject(expected)
    expect('login' in verdict ? verdict.login : undefined).toBe((expected as { login?: string }).login)
    expect(await later.authorize(principal, action, { repository })).toEqual(verdict)
  })

  it('shows what may be pulled', async () => {
    expect(await verdicts.visible(ada, 'list')).toEqual({ kind: 'any-of', globs: ['public/*', 'team/*'] })
    expect(await verdicts.visible({ ...ada, administrator: true }, 'list')).toEqual({ kind: 'all' })
    expect(await later.visible(anonymous, 'list')).toEqual({ kind: 'any-of', globs: ['public/*'] })
  })

  it('lets Bearer scopes narrow a mount but not a list, and a personal token both', async () => {
    const narrow = { ...ada, within: scopes(true, { repositories: 'team/a', actions: ['pull'] }) }
    expect(await verdicts.visible(narrow, 'list')).toEqual({ kind: 'any-of', globs: ['public/*', 'team/*'] })
    expect(await verdicts.visible(narrow, 'mount')).toEqual({
      kind: 'any-of',
      globs: ['public/*', 'team/*'],
      within: [['team/a']],
      always: ['public/*'],
    })
    const administrator: Principal = {
      ...ada,
      administrator: true,
      within: [{ kind: 'token', permissions: [{ repositories: 'ci/*', actions: ['push'] }] }],
    }
    expect(await verdicts.visible(administrator, 'list')).toEqual({
      kind: 'any-of',
      globs: ['*'],
      within: [[]],
      always: ['public/*'],
    })
  })
})
