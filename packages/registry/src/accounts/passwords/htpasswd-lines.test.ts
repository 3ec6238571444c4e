import { describe, expect, it } from 'vitest'
import { parseHtpasswd } from './htpasswd-lines.ts'

const hash = (cost = '05', kind = 'y') => `$2${kind}$${cost}$abcdefghijklmnopqrstuu${'A'.repeat(31)}`

it('reads names and hashes, whatever stands around them', () => {
  const text = ['# the team', '', `alice:${hash()}\r`, `  bob@example.com:${hash('10', 'a')}  `, `c:${hash('14', 'b')}`]
  expect(parseHtpasswd(text.join('\n'))).toEqual({
    hashes: new Map([
      ['alice', hash()],
      ['bob@example.com', hash('10', 'a')],
      ['c', hash('14', 'b')],
    ]),
    cost: 14,
    otherCosts: [3, 4],
    problems: [],
  })
})

it.each([
  [[], 10],
  [['05'], 5],
  [['05', '12', '05'], 5],
  [['05', '12'], 12],
  [['12', '05'], 12],
])('of the costs %j the one most used is %d', (costs, cost) => {
  expect(parseHtpasswd(costs.map((each, index) => `u${index}:${hash(each)}`).join('\n')).cost).toBe(cost)
})

describe('is refused, by the number of its line alone:', () => {
  it.each([
    ['a line without a hash', 'hunter2', 'is not `name:hash`'],
    ['a plain password', 'bob:hunter2', 'has no bcrypt hash'],
    ['MD5', 'bob:$apr1$hunter2$abcdefghijklmnopqrstu.', 'has no bcrypt hash'],
    ['SHA-1', 'bob:{SHA}hunter2', 'has no bcrypt hash'],
    ['crypt', 'bob:hunter2hunter', 'has no bcrypt hash'],
    ['the broken $2x$', `bob:${hash('05', 'x')}`, 'has no bcrypt hash'],
    ['$2$', `bob:${hash().replace('$2y$', '$2$')}`, 'has no bcrypt hash'],
    ['a hash that is cut off', `bob:${hash().slice(0, -1)}`, 'has no bcrypt hash'],
    ['a hash that goes on', `bob:${hash()}:hunter2`, 'has no bcrypt hash'],
    ['a cost too low', `bob:${hash('03')}`, 'cost is not 4 to 14'],
    ['a cost too high', `bob:${hash('15')}`, 'cost is not 4 to 14'],
    ['an absurd cost', `bob:${hash('31')}`, 'cost is not 4 to 14'],
    ['no name', `:${hash()}`, 'has a name that no user may have'],
    ['a name with a slash', `a/b:${hash()}`, 'has a name that no user may have'],
    ['anonymous', `Anonymous:${hash()}`, 'has a name that no user may have'],
    ['a long name', `${'a'.repeat(129)}:${hash()}`, 'has a name that no user may have'],
    ['a name twice', `alice:${hash()}`, 'names a user of an earlier line'],
  ])('%s', (_, line, problem) => {
    const { problems, hashes } = parseHtpasswd(`alice:${hash()}\n\n${line}\ncarol:${hash()}`)
    expect(problems).toEqual([expect.stringMatching(/^line 3 /)])
    expect(problems[0]).toContain(problem)
    expect(problems.join()).not.toMatch(/hunter2|abcdef|AAAA/)
    expect([...hashes.keys()]).toEqual(['alice', 'carol'])
  })
})
