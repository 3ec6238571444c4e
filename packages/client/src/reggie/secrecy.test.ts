import { challenge, type MisbehavingRegistry, redirectToTrap, sample, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  type ClientOption,
  type Method,
  NewClient,
  type Response,
  WithDefaultName,
  WithTokenServers,
  WithUsernamePassword,
} from './index.ts'

const users = { dinosaur: 'rawr and roar' }
const me = WithUsernamePassword('dinosaur', 'rawr and roar')
const bytes = new TextEncoder().encode('hello')
const digest = sample.sha256(bytes)

const connect = (server: MisbehavingRegistry, ...options: readonly ClientOption[]): Client =>
  NewClient(server.url, WithDefaultName('a/app'), ...options)
const ask = async (client: Client, method: Method = 'GET', path = '/v2/<name>/tags/list'): Promise<Response> =>
  client.Do(client.NewRequest(method, path))
const push = async (client: Client): Promise<Response> =>
  client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/').SetQueryParam('digest', digest).SetBody(bytes))

describe('what is secret', () => {
  it('is not brought to a token server of strangers', async () => {
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'bearer', users, realm: 'trap' } })
    const asked = ask(connect(server, me))
    await expect(asked).rejects.toThrow(
      expect.objectContaining({
        code: 'refused',
        hint: expect.stringContaining(`WithTokenServers("${server.trap.host}")`),
      }),
    )
    expect(server.leaks).toEqual([])
    expect((await ask(connect(server, me, WithTokenServers(server.trap.host)))).status).toBe(404)
  })

  it('does not follow a redirect to another origin, whose challenge is not answered', async () => {
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'bearer', users } })
    const client = connect(server, me)
    expect((await push(client)).status).toBe(201)
    await ask(client)
    server.on({ path: /\/blobs\/sha256/ }, redirectToTrap())
    server.forget()
    expect((await ask(client, 'GET', `/v2/<name>/blobs/${digest}`)).text()).toBe('hello')
    server.on({ origin: 'trap' }, challenge('Basic realm="trap"'))
    const response = await ask(client, 'GET', `/v2/<name>/blobs/${digest}`)
    expect([response.status, response.url]).toEqual([401, `${server.trap.url}/v2/a/app/blobs/${digest}`])
    expect(server.seen({ origin: 'trap' })).toHaveLength(2)
    expect(server.leaks).toEqual([])
  })

  it('is not sent to the Location of an upload on another origin', async () => {
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'bearer', users } })
    const client = connect(server, me)
    await push(client)
    await expect(ask(client, 'PUT', `${server.trap.url}/v2/a/app/blobs/uploads/1`)).rejects.toThrow(
      expect.objectContaining({ code: 'refused' }),
    )
    expect(server.seen({ origin: 'trap' })).toEqual([])
  })
})
