import { createRegistry } from '@stowage/registry'
import { expect, test } from 'vitest'
import { listSchema } from './lists.ts'

const read = (given: unknown): unknown => {
  const result = listSchema('retention').safeParse(given)
  return result.success ? result.data : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('times are words, lists may be words, and yes is yes', () => {
  const keep = { newest: 10, youngerThan: '30d', pulledWithin: '12h', matching: 'semver,release-*' }
  expect(read([{ repositories: 'team/*', keep, untagged: 'no' }, { repositories: '*' }])).toEqual([
    {
      repositories: 'team/*',
      keep: { newest: 10, youngerThan: 2_592_000, pulledWithin: 43_200, matching: ['semver', 'release-*'] },
      untagged: false,
    },
    { repositories: '*' },
  ])
  expect(read('[{"repositories": "a", "untagged": true}]')).toEqual([{ repositories: 'a', untagged: true }])
  expect(read([])).toEqual([])
})

test.each([
  ['team/*', ': must be JSON, a list of { repositories, keep, untagged }'],
  [{}, ': must be a list of { repositories, keep, untagged }'],
  [['team/*'], '0: must be an item with repositories, keep, untagged, not "team/*"'],
  [[{}], '0.repositories: is missing: it must be a repository or a glob such as team/* or *'],
  [[{ repositories: 'A' }], '0.repositories: must be a repository or a glob such as team/* or *, not "A"'],
  [[{ repositories: '*', keeps: {} }], '0: has no key "keeps"; did you mean keep?'],
  [[{ repositories: '*', keep: { newst: 1 } }], '0.keep: has no key "newst"; did you mean newest?'],
  [
    [{ repositories: '*', keep: 10 }],
    '0.keep: must be an item with newest, youngerThan, pulledWithin, matching, not 10',
  ],
  // Every tag would go.
  [[{ repositories: '*', keep: {} }], '0.keep: must have one or more of newest, youngerThan, pulledWithin, matching'],
  [[{ repositories: '*', keep: { newest: 0 } }], '0.keep.newest: must be a whole number of 1 or more, not 0'],
  [[{ repositories: '*', keep: { newest: '5' } }], '0.keep.newest: must be a whole number of 1 or more, not "5"'],
  [
    [{ repositories: '*', keep: { youngerThan: 'a month' } }],
    '0.keep.youngerThan: must be a duration such as 12h or 30d, more than 0, not "a month"',
  ],
  [
    [{ repositories: '*', keep: { pulledWithin: 0 } }],
    '0.keep.pulledWithin: must be a duration such as 12h or 30d, more than 0, not 0',
  ],
  [
    [{ repositories: '*', keep: { matching: ['v*', '/v.*/'] } }],
    '0.keep.matching: must be one or more globs of tags such as v*, or semver, not ["v*","/v.*/"]',
  ],
  [
    [{ repositories: '*', keep: { matching: [] } }],
    '0.keep.matching: must be one or more globs of tags such as v*, or semver, not []',
  ],
  [[{ repositories: '*', untagged: 'maybe' }], '0.untagged: must be yes or no, not "maybe"'],
])('%j is refused', (given, message) => {
  expect(read(given)).toEqual([message])
})

test('what is accepted here is what the registry takes', async () => {
  const rules = listSchema('retention').parse([
    {
      repositories: 'team/*',
      keep: { newest: 1, youngerThan: '250ms', matching: ['*', 'v1.*', '_x', 'x'.repeat(128)] },
    },
    { repositories: '*', untagged: true },
  ]) as []
  await using registry = await createRegistry({ storage: ':memory:', upkeep: { retention: { rules } } })
  expect(await registry.upkeep.applyRetention({ dryRun: true })).toMatchObject({ tags: 0 })
})
