import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import type { Credential, CredentialSource } from '../credentials/credential.ts'
import type { Need } from './call.ts'
import { type Authorization, createAuthorization } from './authorization.ts'
import { parseChallenges } from './challenge.ts'
import type { Answer } from './answer.ts'
import { resolveHost } from './hosts.ts'
import { pullScope } from './scopes.ts'
import type { Send } from './tokens.ts'

const alice: Credential = { kind: 'password', username: 'alice', password: 's3cret' }
const host = resolveHost('registry.example.com', { tokenServers: ['auth.example.com'] })
const need = (repository = 'a'): Need => ({ repository, scopes: [pullScope(repository)] })
const bearer = parseChallenges('Bearer realm="https://auth.example.com/token",service="s"')
const basic = parseChallenges('Basic realm="r"')

const authorization = (credentials: CredentialSource = () => alice): Authorization =>
  createAuthorization({ host, credentials, userAgent: 'test/1' })

const answerOf = (status: number, body: unknown): Answer => {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  return {
    status,
    headers: new Headers(),
    url: 'https://auth.example.com/token',
    empty: false,
    body: bytesContent(bytes).open(),
    bytes: async () => bytes,
    glance: async () => bytes,
    discard: async () => {},
  }
}

/** Gives each time another token. */
const tokenServer = (): Send & { readonly asked: string[] } => {
  const asked: string[] = []
  const send: Send = async ({ url }) => {
    asked.push(new URL(url).searchParams.getAll('scope').join(' '))
    return answerOf(200, { token: `t${asked.length}`, expires_in: 300 })
  }
  return Object.assign(send, { asked })
}

const nowhere: Send = async () => {
  throw new Error('Nothing is to be asked.')
}

describe('a challenge that leads nowhere', () => {
  it('is no method: later requests go without, and can be challenged again', async () => {
    const auth = authorization()
    const evil = parseChallenges('Bearer realm="https://evil.example/token"')
    await expect(auth.answer(evil, need(), undefined, nowhere)).rejects.toMatchObject({ code: 'refused' })
    expect(await auth.header(need(), nowhere)).toBeUndefined()
    const broken: Send = async () => answerOf(500, {})
    await expect(auth.answer(bearer, need(), undefined, broken)).rejects.toMatchObject({ code: 'registry-failed' })
    expect(await auth.header(need(), nowhere)).toBeUndefined()
    const anonymous = authorization(() => undefined)
    expect(await anonymous.answer(basic, need(), undefined, nowhere)).toBeUndefined()
    expect(await anonymous.header(need(), nowhere)).toBeUndefined()
    const server = tokenServer()
    expect(await auth.answer(bearer, need(), undefined, server)).toBe('Bearer t1')
    await expect(auth.answer(evil, need(), undefined, nowhere)).rejects.toMatchObject({ code: 'refused' })
    expect(await auth.header(need(), server)).toBe('Bearer t1')
  })
})

describe('a challenge that asks for more than was known to be needed', () => {
  it('is remembered for that need alone', async () => {
    const auth = authorization()
    const server = tokenServer()
    const more = parseChallenges('Bearer realm="https://auth.example.com/token",scope="extra:thing:use"')
    expect(await auth.answer(more, need(), undefined, server)).toBe('Bearer t1')
    expect(await auth.header(need(), server)).toBe('Bearer t1')
    expect(await auth.header(need('b'), server)).toBe('Bearer t2')
    expect(server.asked).toEqual(['extra:thing:use repository:a:pull', 'repository:b:pull'])
  })
})
