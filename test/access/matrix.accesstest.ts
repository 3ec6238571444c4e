import { describe, expect, it } from 'vitest'
import { type Case, runMatrix } from './matrix.ts'
import type { PolicyKind, PrincipalKind, Verdict } from './policy-model.ts'
import { product } from './registry.ts'

const shown = 20

/** What a policy forbids it forbids to everybody: how they logged in is the first matrix' business. */
const underPolicy = {
  wants: (principal: PrincipalKind, label?: string): boolean =>
    !['expired', 'revoked', 'disabled'].includes(principal) &&
    (label === undefined || ['nothing', 'password', 'Bearer'].includes(label)),
  only: ({ variant, policy }: Case): boolean =>
    // Where nothing is ever deleted, what was once mounted stays.
    policy?.deletionDisabled !== true || variant.wanted.mount === undefined,
}

const prove = async (policy?: PolicyKind): Promise<void> => {
  const began = performance.now()
  const counts = new Map<Verdict, number>()
  const { cases, differences } = await runMatrix(product, {
    ...(policy !== undefined && { policy, ...underPolicy }),
    count: (expected) => void counts.set(expected, (counts.get(expected) ?? 0) + 1),
  })
  const wrong = new Set(differences.map(({ what }) => what)).size
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const kinds = [...counts].toSorted().map(([verdict, count]) => `${count} × ${verdict}`)
  console.log(`${cases - wrong} of ${cases} verdicts equal in ${seconds} s (${kinds.join(', ')})`)
  expect(differences.slice(0, shown)).toEqual([])
}

describe('every route × method × principal × repository × way to log in is answered as the model says', () => {
  it('without policies', async () => prove())

  it('in a registry that is read-only', async () => prove({ readOnly: true }))

  it('where deletion is disabled', async () => prove({ deletionDisabled: true }))

  it('where a tag is immutable', async () => prove({ immutable: true }))
})
