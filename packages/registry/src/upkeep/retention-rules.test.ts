import type { Digest } from '@stowage/oci'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createSelection,
  goesBecause,
  keptBecause,
  type RetentionTag,
  ruleFor,
  span,
  subjectOfTag,
} from './retention-rules.ts'
import type { RetentionRule } from './upkeep-options.ts'

const at = 1_700_000_000_000
const day = 86_400_000

const digest = `sha256:${'a'.repeat(64)}` as Digest

/** A tag that was set so many days ago, and pulled. */
const tag = (name: string, set: number, pulled?: number): RetentionTag => ({
  tag: name,
  digest,
  taggedAt: at - set * day,
  ...(pulled !== undefined && { lastPulledAt: at - pulled * day }),
})

type Keep = NonNullable<RetentionRule['keep']>

const judgement = (keep: Keep, immutable: readonly string[] = []) => ({
  rule: { repositories: 'a', keep },
  immutable,
  at,
})

const days = (number: number): number => (number * day) / 1000

const going = (
  tags: readonly RetentionTag[],
  keep: Keep,
  immutable: readonly string[] = [],
  pageSize = 2,
): string[] => {
  const selection = createSelection(judgement(keep, immutable))
  const found: string[] = []
  for (let from = 0; from < tags.length; from += pageSize) {
    found.push(...selection.add(tags.slice(from, from + pageSize)).map((one) => one.tag))
  }
  return found.toSorted()
}

describe('a rule', () => {
  const tags = [tag('latest', 1, 0), tag('v1.0.0', 90), tag('v1.1.0', 60, 40), tag('pr-1', 50, 5), tag('pr-2', 20, 10)]

  it.each<[string, Keep, string[]]>([
    ['the newest', { newest: 1 }, ['pr-1', 'pr-2', 'v1.0.0', 'v1.1.0']],
    ['the three newest', { newest: 3 }, ['v1.0.0', 'v1.1.0']],
    ['more than there are', { newest: 9 }, []],
    ['those of a month', { youngerThan: days(30) }, ['pr-1', 'v1.0.0', 'v1.1.0']],
    ['those set up to a moment ago', { youngerThan: days(20) }, ['pr-1', 'v1.0.0', 'v1.1.0']],
    ['those set within no time', { youngerThan: 0 }, ['latest', 'pr-1', 'pr-2', 'v1.0.0', 'v1.1.0']],
    ['those pulled this week', { pulledWithin: days(7) }, ['pr-2', 'v1.0.0', 'v1.1.0']],
    ['those pulled up to a moment ago', { pulledWithin: days(5) }, ['pr-2', 'v1.0.0', 'v1.1.0']],
    ['versions', { matching: ['semver'] }, ['latest', 'pr-1', 'pr-2']],
    ['what a glob matches', { matching: ['pr-*'] }, ['latest', 'v1.0.0', 'v1.1.0']],
    ['what any glob matches', { matching: ['lat*t', 'semver', 'pr'] }, ['pr-1', 'pr-2']],
    ['what meets any condition', { newest: 1, pulledWithin: days(7), matching: ['*.1.0'] }, ['pr-2', 'v1.0.0']],
    // The glob takes none of the places of the newest.
    ['the newest, of all tags', { newest: 2, matching: ['latest'] }, ['pr-1', 'v1.0.0', 'v1.1.0']],
  ])('keeps %s', (_name, keep, expected) => {
    expect(going(tags, keep)).toEqual(expected)
  })

  it('never lets an immutable tag go', () => {
    expect(going(tags, { youngerThan: 0 }, ['v*', 'latest'])).toEqual(['pr-1', 'pr-2'])
  })

  it('does not take the setting of a tag for a pull', () => {
    expect(going([tag('x', 0)], { pulledWithin: days(7) })).toEqual(['x'])
  })

  it('takes what lies in the future for young', () => {
    expect(going([tag('x', -3), tag('y', 3, -1)], { youngerThan: 0, pulledWithin: 0 })).toEqual([])
  })

  it('calls the later name the newer of two that were set at once', () => {
    expect(going([tag('b', 1), tag('a', 1), tag('c', 1)], { newest: 1 }, [], 1)).toEqual(['a', 'b'])
  })

  it('keeps what belongs to a manifest that is here, and does not count it', () => {
    const signature = { ...tag('sha256-aa.sig', 0), about: digest }
    expect(going([signature, tag('x', 1), tag('y', 2)], { newest: 1 })).toEqual(['y'])
  })

  it('is the first whose glob matches', () => {
    const rules = ['team/web', 'team/*', '*'].map((repositories) => ({ repositories }))
    expect(ruleFor(rules, 'team/web')).toBe(rules[0])
    expect(ruleFor(rules, 'team/api')).toBe(rules[1])
    expect(ruleFor(rules, 'team')).toBe(rules[2])
    expect(ruleFor(rules.slice(0, 2), 'team')).toBeUndefined()
  })
})

describe('its reasons', () => {
  it.each<[RetentionTag, Keep, string]>([
    [tag('x', 40), { newest: 1 }, 'By the rule for a: not the newest, set 40 days ago.'],
    [tag('x', 40), { newest: 3 }, 'By the rule for a: not among the 3 newest, set 40 days ago.'],
    [tag('x', 1.5), { youngerThan: 60 }, 'By the rule for a: set 1 day ago.'],
    [tag('x', 1), { pulledWithin: 60 }, 'By the rule for a: never pulled.'],
    [tag('x', 9, 0.5), { pulledWithin: 60 }, 'By the rule for a: last pulled 12 hours ago.'],
    [tag('x', 9), { matching: ['v*'] }, 'By the rule for a: matches not v*.'],
    [
      tag('x', 9, 9),
      { newest: 2, youngerThan: 1, pulledWithin: 1, matching: ['semver', 'v*'] },
      'By the rule for a: not among the 2 newest, set 9 days ago, last pulled 9 days ago, matches none of semver, v*.',
    ],
  ])('%# of what goes are in plain words', (one, keep, expected) => {
    expect(goesBecause(one, judgement(keep))).toBe(expected)
  })

  it.each<[RetentionTag, Keep, string | undefined]>([
    [tag('stable', 9), {}, 'It is immutable.'],
    [{ ...tag('x', 9), about: digest }, {}, `It belongs to ${digest}, which is here.`],
    [tag('1.0.0', 9), { matching: ['semver'] }, 'It is a semantic version.'],
    [tag('v1', 9), { matching: ['semver', 'v*'] }, 'It matches v*.'],
    [tag('x', 2), { youngerThan: days(3) }, 'It was set 2 days ago.'],
    [tag('x', 9, 2), { youngerThan: days(3), pulledWithin: days(3) }, 'It was pulled 2 days ago.'],
    [tag('x', 0), { newest: 5 }, undefined],
  ])('%# of what stays are in plain words', (one, keep, expected) => {
    expect(keptBecause(one, judgement(keep, ['stable']))).toBe(expected)
  })

  it('say that a rule without conditions keeps every tag', () => {
    const rule = { repositories: 'team/*' }
    expect(keptBecause(tag('x', 9), { rule, immutable: [], at })).toBe('The rule for team/* keeps every tag.')
  })

  it.each([
    [0, 'less than a minute'],
    [-5, 'less than a minute'],
    [60_000, '1 minute'],
    [3_599_999, '59 minutes'],
    [3_600_000, '1 hour'],
    [2 * day - 1, '1 day'],
    [800 * day, '800 days'],
  ])('say %d ms as %s', (milliseconds, expected) => expect(span(milliseconds)).toBe(expected))
})

describe('subjectOfTag', () => {
  const hex = 'ab'.repeat(32)

  it.each([`sha256-${hex}`, `sha256-${hex}.sig`, `sha256-${hex}.att`, `sha256-${hex}.sbom`])('reads %s', (name) => {
    expect(subjectOfTag(name)).toBe(`sha256:${hex}`)
  })

  it.each([
    'latest',
    `sha256-${hex}x`,
    `sha256-${hex.slice(1)}`,
    `sha256-${hex.toUpperCase()}`,
    `v-sha256-${hex}`,
    `sha256-${hex}.`,
  ])('reads nothing in %s', (name) => expect(subjectOfTag(name)).toBeUndefined())
})

describe('the selection', () => {
  const names = fc.stringMatching(/^[a-c0-9_][a-c0-9._-]{0,3}$/)
  const tags = fc.uniqueArray(
    fc.record({
      name: fc.oneof(names, fc.constantFrom('v1.0.0', '1.2.3-rc.1')),
      set: fc.integer({ min: -1, max: 9 }),
      pulled: fc.option(fc.integer({ min: 0, max: 9 })),
    }),
    { selector: ({ name }) => name, maxLength: 30 },
  )
  const keeps = fc.record(
    {
      newest: fc.integer({ min: 1, max: 8 }),
      youngerThan: fc.integer({ min: 0, max: 9 }).map(days),
      pulledWithin: fc.integer({ min: 0, max: 9 }).map(days),
      matching: fc.array(fc.constantFrom('a*', '*b', 'semver', '*.*', 'c'), { minLength: 1 }),
    },
    { requiredKeys: [] },
  )
  const made = tags.map((list) => list.map(({ name, set, pulled }) => tag(name, set, pulled ?? undefined)))
  const immutable = fc.subarray(['a', 'b*', '*1'])
  const sizes = fc.integer({ min: 1, max: 7 })

  it('is the same whatever the order and the pages', () => {
    fc.assert(
      fc.property(
        made.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        keeps,
        immutable,
        sizes,
        ([list, shuffled], keep, fixed, size) => {
          expect(going(shuffled, keep, fixed, size)).toEqual(going(list, keep, fixed, 100))
        },
      ),
    )
  })

  it('is what the conditions say, one by one', () => {
    fc.assert(
      fc.property(made, keeps, immutable, sizes, (list, keep, fixed, size) => {
        const gone = going(list, keep, fixed, size)
        const newest = list
          .toSorted((left, right) => (left.tag < right.tag ? 1 : -1))
          .toSorted((left, right) => right.taggedAt - left.taggedAt)
          .slice(0, keep.newest ?? 0)
        const expected = list
          .filter((one) => !newest.includes(one) && keptBecause(one, judgement(keep, fixed)) === undefined)
          .map((one) => one.tag)
        expect(gone).toEqual(expected.toSorted())
      }),
    )
  })

  it('keeps a tag that was kept when another comes that is not newer', () => {
    fc.assert(
      fc.property(made, keeps, immutable, sizes, fc.integer({ min: 0, max: 9 }), (list, keep, fixed, size, older) => {
        const oldest = Math.min(at, ...list.map((one) => one.taggedAt))
        const added = { ...tag('another', 0), taggedAt: oldest - 1 - older * day }
        const before = going(list, keep, fixed, size)
        const after = going([added, ...list], keep, fixed, size)
        expect(after.filter((name) => name !== 'another')).toEqual(before)
      }),
    )
  })

  it('lets nothing more go when it is applied to what is left', () => {
    fc.assert(
      fc.property(made, keeps, immutable, sizes, (list, keep, fixed, size) => {
        const gone = going(list, keep, fixed, size)
        expect(
          going(
            list.filter((one) => !gone.includes(one.tag)),
            keep,
            fixed,
            size,
          ),
        ).toEqual([])
      }),
    )
  })

  it('keeps more with every condition more', () => {
    fc.assert(
      fc.property(made, keeps, keeps, immutable, sizes, (list, keep, more, fixed, size) => {
        const gone = going(list, { ...more, ...keep }, fixed, size)
        expect(going(list, keep, fixed, size)).toEqual(expect.arrayContaining(gone))
      }),
    )
  })
})
