import { describe, expect, it } from 'vitest'
import { createAccess } from './access.ts'
import { immutableTagsOf, quotasOf } from './policies.ts'
import type { Principal } from './principal.ts'

const ada: Principal = { kind: 'user', name: 'ada', administrator: true }
const resource = { repository: 'team/app' }

describe('policies', () => {
  it('hold for administrators too, and change nothing for reading', async () => {
    const access = createAccess({}, { readOnly: true })
    for (const action of ['push', 'delete'] as const) {
      expect(() => access.authorize(ada, action, resource)).toThrow(/read-only/)
    }
    expect(await access.authorize(ada, 'pull', resource)).toMatchObject({ action: 'pull' })
    const without = createAccess({}, { deletion: false })
    expect(() => without.authorize(ada, 'delete', resource)).toThrow(/Deletion is turned off/)
    expect(await without.authorize(ada, 'push', resource)).toMatchObject({ action: 'push' })
  })

  it('say nothing to who may not be there anyway', () => {
    const access = createAccess({ authorize: () => ({ allow: false }) }, { readOnly: true })
    expect(() => access.authorize(ada, 'push', resource)).toThrow(/may not do this/)
  })

  it('travel with the grant of a write', async () => {
    const policies = {
      immutableTags: [
        { repositories: 'team/*', tags: 'v*' },
        { repositories: 'other', tags: '*' },
      ],
      quotas: [
        { repositories: 'team/*', bytes: 10 },
        { user: '*', bytes: 5 },
        { user: 'eve', bytes: 1 },
      ],
    }
    expect(immutableTagsOf(policies, 'team/app')).toEqual(['v*'])
    expect(quotasOf(policies, ada, 'team/app')).toEqual([
      { kind: 'repositories', glob: 'team/*', bytes: 10 },
      { kind: 'actor', actor: 'ada', bytes: 5 },
    ])
    expect(quotasOf(policies, { kind: 'user', name: 'eve' }, 'x')).toEqual([{ kind: 'actor', actor: 'eve', bytes: 1 }])
    const access = createAccess({}, policies)
    expect(await access.authorize(ada, 'push', resource)).toMatchObject({ immutableTags: ['v*'], quotas: [{}, {}] })
    expect(await access.authorize(ada, 'delete', resource)).toMatchObject({ immutableTags: ['v*'] })
    expect(await access.authorize(ada, 'pull', resource)).not.toHaveProperty('immutableTags')
  })
})
