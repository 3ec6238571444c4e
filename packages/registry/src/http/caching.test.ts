import { describe, expect, it } from 'vitest'
import { openGuarded } from '../testing/guarded-registry.ts'

describe('what caches may keep', () => {
  it('is for who showed these credentials', async () => {
    await using guarded = await openGuarded()
    const push = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` }
    const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    for (const name of ['private', 'public']) {
      expect(
        (await guarded.send('POST', `/v2/${name}/blobs/uploads/?digest=${hello}`, { body: 'hello', headers: push }))
          .status,
      ).toBe(201)
    }
    const get = async (name: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown[]> => {
      const answer = await guarded.send('GET', `/v2/${name}/blobs/${hello}`, { headers })
      return [answer.status, answer.headers['cache-control'], answer.headers.vary]
    }
    const kept = 'private, max-age=31536000, immutable'
    expect(await get('private', { authorization: 'Bearer pull' })).toEqual([200, kept, 'Authorization'])
    expect(await get('private', { authorization: 'Bearer pull', 'if-none-match': `"${hello}"` })).toEqual([
      304,
      kept,
      'Authorization',
    ])
    expect(await get('public')).toEqual([200, kept, undefined])
    expect(await get('private')).toEqual([401, 'no-store', undefined])
    expect(await get('private', { authorization: 'Bearer hunter2' })).toEqual([401, 'no-store', undefined])
  })

  it('depends on the origin as well where pages are let in', async () => {
    await using guarded = await openGuarded({ cors: { origins: ['http://app.test'] } })
    const headers = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` }
    const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
    await guarded.send('POST', `/v2/private/blobs/uploads/?digest=${hello}`, { body: 'hello', headers })
    expect((await guarded.send('GET', `/v2/private/blobs/${hello}`, { headers })).headers.vary).toBe(
      'Authorization, Origin',
    )
  })
})
