import { describe, expect, it, vi } from 'vitest'
import { bytesContent } from '../content/content.ts'
import type { Credential, CredentialRequest, CredentialSource } from '../credentials/credential.ts'
import { ClientError } from '../errors.ts'
import type { Need } from './call.ts'
import { type Authorization, createAuthorization } from './authorization.ts'
import { parseChallenges } from './challenge.ts'
import type { Answer } from './answer.ts'
import { resolveHost } from './hosts.ts'
import { pullScope, pushScope } from './scopes.ts'
import type { Send } from './tokens.ts'

const alice: Credential = { kind: 'password', username: 'alice', password: 's3cret' }
const host = resolveHost('registry.example.com', { tokenServers: ['auth.example.com'] })
const need = (repository = 'a', scope = pullScope): Need => ({ repository, scopes: [scope(repository)] })
const bearer = parseChallenges('Bearer realm="https://auth.example.com/token",service="s"')
const basic = parseChallenges('Basic realm="r"')

const authorization = (credentials: CredentialSource = () => alice): Authorization =>
  createAuthorization({ host, credentials, userAgent: 'test/1' })

const answerOf = (status: number, body: unknown): Answer => {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const content = {
    body: bytesContent(bytes).open(),
    bytes: async () => bytes,
    glance: async () => bytes,
    discard: async () => {},
  }
  return { status, headers: new Headers(), url: 'https://auth.example.com/token', empty: false, ...content }
}

/** Gives each time another token, valid for so many seconds. */
const tokenServer = (lifetime = 300): Send & { readonly asked: string[] } => {
  const asked: string[] = []
  const send: Send = async ({ url }) => {
    asked.push(new URL(url).searchParams.getAll('scope').join(' '))
    return answerOf(200, { token: `t${asked.length}`, expires_in: lifetime })
  }
  return Object.assign(send, { asked })
}

const nowhere: Send = async () => {
  throw new Error('Nothing is to be asked.')
}

describe('before a challenge', () => {
  it('shows nothing', async () => {
    expect(await authorization().header(need(), nowhere)).toBeUndefined()
  })
})

describe('Basic', () => {
  it('is shown once asked for, and from then on at once', async () => {
    const auth = authorization()
    const header = `Basic ${btoa('alice:s3cret')}`
    expect(await auth.answer(basic, need(), undefined, nowhere)).toBe(header)
    expect(await auth.header(need(), nowhere)).toBe(header)
    expect(await auth.header(need('b'), nowhere)).toBe(header)
  })

  it('is not shown again when it was refused', async () => {
    const auth = authorization()
    const used = await auth.answer(basic, need(), undefined, nowhere)
    expect(await auth.answer(basic, need(), used, nowhere)).toBeUndefined()
  })

  it('has nothing to show without credentials', async () => {
    const auth = authorization(() => undefined)
    expect(await auth.answer(basic, need(), undefined, nowhere)).toBeUndefined()
    expect(await auth.header(need(), nowhere)).toBeUndefined()
  })

  it('cannot be made of tokens', async () => {
    for (const kind of ['identity-token', 'registry-token'] as const) {
      const answer = authorization(() => ({ kind, token: 'abc' })).answer(basic, need(), undefined, nowhere)
      await expect(answer).rejects.toMatchObject({ code: 'unauthorized' })
    }
  })
})

describe('Bearer', () => {
  it('goes before Basic, in whatever order they are offered', async () => {
    for (const both of [
      [...basic, ...bearer],
      [...bearer, ...basic],
    ]) {
      expect(await authorization().answer(both, need(), undefined, tokenServer())).toBe('Bearer t1')
    }
  })

  it('asks once for each realm, service and scope, and from then on at once', async () => {
    const auth = authorization()
    const server = tokenServer()
    expect(await auth.answer(bearer, need(), undefined, server)).toBe('Bearer t1')
    expect(await auth.header(need(), server)).toBe('Bearer t1')
    expect(await auth.header(need('a', pushScope), server)).toBe('Bearer t2')
    expect(await auth.header(need('b'), server)).toBe('Bearer t3')
    expect(await auth.header(need(), server)).toBe('Bearer t1')
    const other = parseChallenges('Bearer realm="https://auth.example.com/token",service="other"')
    expect(await auth.answer(other, need(), undefined, server)).toBe('Bearer t4')
    const elsewhere = parseChallenges('Bearer realm="https://auth.example.com/v2/token",service="s"')
    expect(await auth.answer(elsewhere, need(), undefined, server)).toBe('Bearer t5')
    expect(server.asked).toEqual([
      'repository:a:pull',
      'repository:a:pull,push',
      'repository:b:pull',
      'repository:a:pull',
      'repository:a:pull',
    ])
  })

  it('asks for what the challenge asks for, and for what is needed besides', async () => {
    const server = tokenServer()
    const challenge = parseChallenges('Bearer realm="https://auth.example.com/token",scope="repository:a:push x:y:z"')
    await authorization().answer(challenge, need(), undefined, server)
    expect(server.asked).toEqual(['repository:a:pull,push x:y:z'])
  })

  it('asks again when a token has expired, or was refused', async () => {
    const expired = tokenServer(0.000_001)
    const auth = authorization()
    await auth.answer(bearer, need(), undefined, expired)
    await vi.waitFor(async () => expect(await auth.header(need(), expired)).not.toBe('Bearer t1'))
    const server = tokenServer()
    const other = authorization()
    expect(await other.answer(bearer, need(), undefined, server)).toBe('Bearer t1')
    expect(await other.answer(bearer, need(), 'Bearer t1', server)).toBe('Bearer t2')
    // Somebody else has replaced it by now: no third one.
    expect(await other.answer(bearer, need(), 'Bearer t1', server)).toBe('Bearer t2')
    expect(server.asked).toHaveLength(2)
  })

  it('says that there is nothing more when it is given what was refused', async () => {
    const same: Send = async () => answerOf(200, { token: 'same' })
    expect(await authorization().answer(bearer, need(), 'Bearer same', same)).toBeUndefined()
  })

  it('asks once for all who ask at the same time', async () => {
    const server = tokenServer()
    const auth = authorization()
    const all = await Promise.all(
      Array.from({ length: 50 }, async () => auth.answer(bearer, need(), undefined, server)),
    )
    expect(new Set(all)).toEqual(new Set(['Bearer t1']))
    expect(server.asked).toHaveLength(1)
  })

  it('fails once for all who ask at the same time: wrong credentials must not lock anybody out', async () => {
    let asked = 0
    const refusing: Send = async () => {
      asked++
      return answerOf(401, {})
    }
    const auth = authorization()
    const all = await Promise.allSettled(
      Array.from({ length: 50 }, async () => auth.answer(bearer, need(), undefined, refusing)),
    )
    expect(all.every((one) => one.status === 'rejected' && (one.reason as ClientError).code === 'unauthorized')).toBe(
      true,
    )
    expect(asked).toBe(1)
    await expect(auth.answer(bearer, need(), undefined, refusing)).rejects.toMatchObject({ code: 'unauthorized' })
    expect(asked).toBe(2)
  })

  it('is not stopped by the signal of another request', async () => {
    const auth = authorization()
    const first = Promise.withResolvers<Answer>()
    const one = auth.answer(bearer, need(), undefined, async () => first.promise)
    const server = tokenServer()
    const others = [1, 2, 3].map(async () => auth.answer(bearer, need(), undefined, server))
    await new Promise((resolve) => setImmediate(resolve))
    first.reject(new ClientError('aborted', 'Stopped as asked.'))
    await expect(one).rejects.toMatchObject({ code: 'aborted' })
    expect(await Promise.all(others)).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t1'])
    expect(server.asked).toHaveLength(1)
  })

  it('waits for another request no longer than its own signal says', async () => {
    const auth = authorization()
    const first = Promise.withResolvers<Answer>()
    const one = auth.answer(bearer, need(), undefined, async () => first.promise)
    const stop = new AbortController()
    const other = auth.answer(bearer, { ...need(), signal: stop.signal }, undefined, nowhere)
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    await expect(other).rejects.toMatchObject({ code: 'aborted' })
    await expect(
      auth.answer(bearer, { ...need(), signal: AbortSignal.abort() }, undefined, nowhere),
    ).rejects.toMatchObject({ code: 'aborted' })
    first.resolve(answerOf(200, { token: 't' }))
    expect(await one).toBe('Bearer t')
  })

  it('keeps no more than a thousand tokens', async () => {
    const server = tokenServer()
    const auth = authorization()
    await auth.answer(bearer, need('first'), undefined, server)
    for (let index = 0; index < 1000; index++) await auth.header(need(`r${index}`), server)
    await auth.header(need('r999'), server)
    expect(server.asked).toHaveLength(1001)
    await auth.header(need('first'), server)
    expect(server.asked).toHaveLength(1002)
  })

  it('sends a token of the registry as it is, and to nobody else', async () => {
    const auth = authorization(() => ({ kind: 'registry-token', token: 'abc' }))
    expect(await auth.answer(bearer, need(), undefined, nowhere)).toBe('Bearer abc')
    expect(await auth.header(need('b'), nowhere)).toBe('Bearer abc')
    expect(await auth.answer(bearer, need(), 'Bearer abc', nowhere)).toBeUndefined()
  })

  it('takes no token of the registry that would end its header, and says nothing of it', async () => {
    const auth = authorization(() => ({ kind: 'registry-token', token: 'secret\r\nx: y' }))
    const answer = auth.answer(bearer, need(), undefined, nowhere)
    await expect(answer).rejects.toMatchObject({ code: 'unauthorized' })
    await expect(answer).rejects.not.toThrow(/secret/)
  })

  it('asks no token server of strangers', async () => {
    const stranger = parseChallenges('Bearer realm="https://evil.example/token"')
    await expect(authorization().answer(stranger, need(), undefined, nowhere)).rejects.toMatchObject({
      code: 'refused',
    })
    const anonymous = authorization(() => undefined)
    expect(await anonymous.answer(stranger, need(), undefined, tokenServer())).toBe('Bearer t1')
  })

  it('cannot be answered without a realm', async () => {
    const without = parseChallenges('Bearer service="s"')
    expect(await authorization().answer(without, need(), undefined, nowhere)).toBeUndefined()
    expect(await authorization().answer([...without, ...basic], need(), undefined, nowhere)).toMatch(/^Basic /)
    expect(await authorization().answer([], need(), undefined, nowhere)).toBeUndefined()
  })
})

describe('credentials', () => {
  it('are asked for once for each repository', async () => {
    const asked: CredentialRequest[] = []
    const auth = authorization(async (request) => {
      asked.push(request)
      return alice
    })
    await auth.answer(basic, need('a'), undefined, nowhere)
    await Promise.all([
      auth.header(need('a'), nowhere),
      auth.header(need('b'), nowhere),
      auth.header(need('b'), nowhere),
    ])
    await auth.header({ scopes: [], repository: undefined }, nowhere)
    expect(asked).toEqual([
      { registry: 'registry.example.com', repository: 'a' },
      { registry: 'registry.example.com', repository: 'b' },
      { registry: 'registry.example.com' },
    ])
  })

  it('are asked for anew when they were refused: some are good for hours only', async () => {
    let count = 0
    const changing: CredentialSource = () => ({ kind: 'password', username: 'alice', password: `p${++count}` })
    const auth = authorization(changing)
    const used = await auth.answer(basic, need(), undefined, nowhere)
    expect(used).toBe(`Basic ${btoa('alice:p1')}`)
    expect(await auth.answer(basic, need(), used, nowhere)).toBe(`Basic ${btoa('alice:p2')}`)
    expect(await auth.header(need(), nowhere)).toBe(`Basic ${btoa('alice:p2')}`)

    const other = authorization(changing)
    const refusing: Send = async () => answerOf(401, {})
    await expect(other.answer(bearer, need(), undefined, refusing)).rejects.toMatchObject({ code: 'unauthorized' })
    const headers: (string | null)[] = []
    await other.answer(bearer, need(), undefined, async (request) => {
      headers.push(request.headers.get('authorization'))
      return answerOf(200, { token: 't' })
    })
    expect(headers).toEqual([`Basic ${btoa('alice:p4')}`])
  })

  it('that cannot be had are an error that says so, and are asked for again', async () => {
    let fails = true
    const auth = authorization(() => {
      if (fails) throw new Error('the helper is not there')
      return alice
    })
    const answer = auth.answer(basic, need(), undefined, nowhere)
    await expect(answer).rejects.toMatchObject({ code: 'unauthorized' })
    await expect(answer).rejects.toThrow(/registry\.example\.com.*the helper is not there/)
    fails = false
    expect(await auth.answer(basic, need(), undefined, nowhere)).toMatch(/^Basic /)
    const known = new ClientError('invalid-content', 'config.json is no JSON')
    await expect(authorization(() => Promise.reject(known)).answer(basic, need(), undefined, nowhere)).rejects.toBe(
      known,
    )
  })
})
