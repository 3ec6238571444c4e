import fc from 'fast-check'
import { expect, it } from 'vitest'
import { workloadName } from './workload-name.ts'

it.each(['repo:team/app:ref:refs/heads/main', 'system:serviceaccount:build:pusher', 'a b', '~', 'x'.repeat(200)])(
  '%s is shown as it is',
  (subject) => expect(workloadName('ci', subject)).toBe(`ci:${subject}`),
)

it.each([
  ['a\nb', /^ci:a\?b~[0-9a-f]{16}$/],
  ['\u001b[31m', /^ci:\?\[31m~/],
  ['caf\u00e9', /^ci:caf\?~/],
  ['\u202egnp', /^ci:\?gnp~/],
  ['x'.repeat(201), /^ci:x{200}~[0-9a-f]{16}$/],
  ['x~0123456789abcdef', /^ci:x~0123456789abcdef~[0-9a-f]{16}$/],
])('%j is not', (subject, shown) => expect(workloadName('ci', subject)).toMatch(shown))

it('is short and printable, and no two subjects have the same', () => {
  const odd = fc.string({ unit: fc.constantFrom('a', '?', '~', '\n', '\u00e9', '0'), maxLength: 6 })
  const subjects = fc.oneof(
    odd,
    fc.string({ maxLength: 300 }),
    odd.map((text) => workloadName('', text).slice(1)),
  )
  fc.assert(
    fc.property(subjects, subjects, (one, other) => {
      const name = workloadName('ci', one)
      expect(name).toMatch(/^[ -~]{3,220}$/)
      expect(name === workloadName('ci', other)).toBe(one === other)
      // What a subject was shown as is shown as something else when somebody takes it for a subject.
      const shown = name.slice(3)
      if (shown !== one) expect(workloadName('ci', shown)).not.toBe(name)
    }),
    { numRuns: 3000 },
  )
})
