import { describe, expect, it } from 'vitest'
import { type RegistryOptions, resolveOptions } from './options.ts'

const resolve = (upkeep: unknown) => resolveOptions({ storage: ':memory:', upkeep } as RegistryOptions)

const rule = (more: object) => ({ retention: { rules: [{ repositories: 'team/*', ...more }] } })

const keep = (more: object) => rule({ keep: more })

describe('the option upkeep', () => {
  it('takes what it has', () => {
    const rules = [
      {
        repositories: 'team/*',
        keep: { newest: 1, youngerThan: 0, pulledWithin: 1.5, matching: ['semver', 'v*', 'x'] },
      },
      { repositories: '*', untagged: true },
    ]
    const { upkeep } = resolve({
      garbage: { every: 1, grace: 2 },
      retention: { every: 0, restoreFor: 1.1, rules },
      scrub: {},
    })
    expect(upkeep).toMatchObject({ garbage: { every: 1000, grace: 2000 }, retention: { restoreFor: 1100, rules } })
    expect(resolve({}).upkeep.retention).toEqual({ every: 0, restoreFor: 7 * 86_400_000, rules: [] })
  })

  it('has times of whole milliseconds, which databases keep', () => {
    expect(resolve({ retention: { restoreFor: 0.0004, every: 0.0016 } }).upkeep.retention).toMatchObject({
      restoreFor: 0,
      every: 2,
    })
  })

  it.each([
    ['a section that is none', { garbage: 1 }, 'upkeep.garbage must be an object'],
    ['a list for a section', { scrub: [] }, 'upkeep.scrub must be an object'],
    ['a section it does not have', { garbige: {} }, 'upkeep.garbige is not an option'],
    [
      'a member it does not have',
      { garbage: { graze: 1 } },
      'upkeep.garbage.graze is not an option; there are every, grace',
    ],
    ['one of another section', { scrub: { grace: 1 } }, 'upkeep.scrub.grace is not an option'],
    ['a negative time', { garbage: { grace: -1 } }, 'upkeep.garbage.grace must be a number of seconds from 0'],
    ['a time in words', { retention: { every: '1d' } }, 'upkeep.retention.every must be a number of seconds'],
    ['no number', { retention: { restoreFor: Number.NaN } }, 'upkeep.retention.restoreFor must be a number of seconds'],
    ['a time without end', { retention: { restoreFor: Infinity } }, 'upkeep.retention.restoreFor must be'],
    ['a negative rate', { scrub: { rate: -1 } }, 'upkeep.scrub.rate must be a number of bytes'],
    ['rules that are none', { retention: { rules: {} } }, 'upkeep.retention.rules must be a list'],
    [
      'endless rules',
      { retention: { rules: Array.from({ length: 1001 }, () => ({ repositories: '*' })) } },
      'rules must be a list of at most',
    ],
    ['a rule that is none', { retention: { rules: [null] } }, 'upkeep.retention.rules[0] must be an object'],
    ['a rule without repositories', { retention: { rules: [{}] } }, 'upkeep.retention.rules[0].repositories: '],
    ['a glob that matches no name', rule({ repositories: 'Team/*' }), 'upkeep.retention.rules[0].repositories: '],
    [
      'a member of a rule',
      rule({ keeps: {} }),
      'upkeep.retention.rules[0].keeps is not an option; there are repositories',
    ],
    ['a word for untagged', rule({ untagged: 'yes' }), 'rules[0].untagged must be true or false'],
    ['keep that is none', rule({ keep: null }), 'rules[0].keep must be an object'],
    [
      'keep that keeps nothing',
      keep({}),
      'rules[0].keep must say what to keep (newest, youngerThan, pulledWithin, matching)',
    ],
    ['a member of keep', keep({ newest: 1, oldest: 1 }), 'rules[0].keep.oldest is not an option'],
    ['none of the newest', keep({ newest: 0 }), 'rules[0].keep.newest must be a whole number of 1 or more'],
    ['half a tag', keep({ newest: 1.5 }), 'rules[0].keep.newest must be a whole number'],
    ['a negative age', keep({ youngerThan: -1 }), 'rules[0].keep.youngerThan must be a number of seconds'],
    ['an age in words', keep({ pulledWithin: '30d' }), 'rules[0].keep.pulledWithin must be a number of seconds'],
    ['a glob alone', keep({ matching: 'v*' }), 'rules[0].keep.matching must be a list of 1 to 100 globs'],
    ['no globs', keep({ matching: [] }), 'rules[0].keep.matching must be a list of 1'],
    [
      'a glob that matches no tag',
      keep({ matching: ['v*', 'a/b'] }),
      'rules[0].keep.matching[1] must be a tag, a glob',
    ],
  ])('refuses %s', (_name, upkeep, message) => {
    expect(() => resolve(upkeep)).toThrow(message)
  })
})
