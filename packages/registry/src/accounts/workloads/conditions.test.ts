import { expect, it } from 'vitest'
import { meetsConditions } from './conditions.ts'

const claims = {
  sub: 'repo:team/app:ref:refs/heads/main',
  repository_owner: 'team',
  run: 17,
  protected: true,
  empty: '',
  nothing: null,
  groups: ['readers', 'writers', 5],
  list: [],
  nested: { sub: 'x' },
}

it.each([
  [{ repository_owner: 'team' }],
  [{ sub: 'repo:team/*' }],
  [{ sub: 'repo:team/*:ref:refs/heads/main', repository_owner: 'team' }],
  [{ run: '17' }],
  [{ run: '1*' }],
  [{ protected: 'true' }],
  [{ groups: 'writers' }],
  [{ groups: '5' }],
  [{ groups: '*', run: '*' }],
  [{ empty: '*' }],
])('%j is met', (conditions) => expect(meetsConditions(conditions, claims)).toBe(true))

it.each([
  [{}],
  [{ repository_owner: 'Team' }],
  [{ repository_owner: 'te' }],
  [{ repository_owner: 'team', run: '18' }],
  [{ protected: 'false' }],
  [{ groups: 'readers,writers' }],
  [{ groups: 'administrators' }],
  [{ list: '*' }],
  [{ missing: '*' }],
  [{ nothing: '*' }],
  [{ nested: '*' }],
  [{ toString: '*' }],
  [{ constructor: '*' }],
  [JSON.parse('{"__proto__": "*"}') as Record<string, string>],
])('%j is not met', (conditions) => expect(meetsConditions(conditions, claims)).toBe(false))

it('a claim that the token does not have itself is not there', () => {
  const inheriting = Object.create({ repository_owner: 'team' }) as Record<string, unknown>
  expect(meetsConditions({ repository_owner: 'team' }, inheriting)).toBe(false)
})
