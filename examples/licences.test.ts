import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccessControl, anonymous, type RegistryOptions, RegistryError } from '@stowage/registry'
import { createTestRegistry, type OpenDoor, sample } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { future, newKey, past, type TestLicence, writeLicences } from '../test/clients/licence-file.ts'
import { type ExampleServer, startExample } from '../test/runtimes/example-server.ts'

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** A way to a registry for somebody, with what `Authorization` says. */
const as = (url: string, authorization?: string): Pick<OpenDoor, 'send'> => ({
  send: async (method, target, { headers = {}, body } = {}) => {
    const answer = await fetch(`${url}${target}`, {
      method,
      body: body as string | Uint8Array<ArrayBuffer>,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const text = (): string => new TextDecoder().decode(bytes)
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name),
      bytes,
      text,
      json: () => JSON.parse(text()) as unknown,
    }
  },
})

const statuses = async (door: ReturnType<typeof as>, targets: readonly string[]): Promise<number[]> => {
  const answers: number[] = []
  for (const target of targets) {
    const [method = '', path = ''] = target.split(' ')
    answers.push((await door.send(method, path)).status)
  }
  return answers
}

const image = sample.image('licensed')
const [inBasic, inPro, inInternal] = ['basic', 'pro', 'internal'].map((folder) => `/v2/products/${folder}/app`)
const pulls = [`GET ${inBasic}/manifests/v1`, `GET ${inPro}/manifests/v1`, `GET ${inInternal}/manifests/v1`]

describe('examples/licences', () => {
  const vendorKey = newKey()
  const licences = {
    small: { customer: 'small', key: newKey(), plan: 'basic', ends: future },
    large: { customer: 'large', key: newKey(), plan: 'pro', ends: future },
    former: { customer: 'former', key: newKey(), plan: 'pro', ends: past },
    odd: { customer: 'odd', key: newKey(), plan: 'constructor', ends: future },
  } satisfies Record<string, TestLicence>
  let directory: string
  let server: ExampleServer
  const customer = ({ customer: name, key }: TestLicence) => as(server.url, basic(name, key))
  const vendor = () => as(server.url, basic('vendor', vendorKey))

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stowage-licences-'))
    await writeLicences(directory, Object.values(licences))
    const node = [process.execPath, '--conditions=@stowage/source'] as const
    const env = { VENDOR_KEY: vendorKey }
    server = await startExample('licences', node, directory, AbortSignal.timeout(30_000), env)
    for (const folder of ['basic', 'pro', 'internal']) {
      await sample.pushImage(vendor(), `products/${folder}/app`, 'v1', image)
    }
  })
  afterAll(async () => {
    expect(await server.stop(), await server.output()).toBe(0)
    await rm(directory, { recursive: true, force: true })
  })

  it('lets customers pull what their plan has', async () => {
    expect(await statuses(customer(licences.small), pulls)).toEqual([200, 403, 403])
    expect(await statuses(customer(licences.large), pulls)).toEqual([200, 200, 403])
    expect(await statuses(customer(licences.odd), pulls)).toEqual([403, 403, 403])
    expect(await statuses(vendor(), pulls)).toEqual([200, 200, 200])
  })

  it('asks strangers to log in, and says that a key is wrong', async () => {
    const stranger = await as(server.url).send('GET', `${inBasic}/manifests/v1`)
    expect(stranger.status).toBe(401)
    const realm = `realm="${server.url}/auth/token"`
    expect(stranger.header('www-authenticate')).toBe(
      `Bearer ${realm},service="stowage",scope="repository:products/basic/app:pull"`,
    )
    for (const [name, key] of [
      ['small', licences.large.key],
      ['small', ''],
      ['nobody', licences.small.key],
      ['vendor', licences.small.key],
      ['vendor', ''],
      ['anonymous', licences.small.key],
    ] as const) {
      const answer = await as(server.url, basic(name, key)).send('GET', `${inBasic}/manifests/v1`)
      expect([name, answer.status]).toEqual([name, 401])
    }
  })

  it('lets nobody but the vendor push or delete, and the vendor only below products/', async () => {
    const upload = `/blobs/uploads/?digest=${sample.sha256(Buffer.from('x'))}`
    for (const door of [customer(licences.small), customer(licences.large)]) {
      expect((await door.send('POST', `${inBasic}${upload}`, { body: 'x' })).status).toBe(403)
      expect((await door.send('DELETE', `${inBasic}/manifests/v1`)).status).toBe(403)
    }
    expect((await vendor().send('POST', `/v2/others/app${upload}`, { body: 'x' })).status).toBe(403)
    expect((await vendor().send('POST', `${inBasic}${upload}`, { body: 'x' })).status).toBe(201)
  })

  it('shows in lists what may be pulled', async () => {
    const listed = async (door: ReturnType<typeof as>): Promise<unknown> =>
      (await door.send('GET', '/v2/_catalog')).json()
    expect(await listed(customer(licences.small))).toEqual({ repositories: ['products/basic/app'] })
    expect(await listed(customer(licences.large))).toEqual({ repositories: ['products/basic/app', 'products/pro/app'] })
    const all = ['products/basic/app', 'products/internal/app', 'products/pro/app']
    expect(await listed(vendor())).toEqual({ repositories: all })
  })

  it('ends pulls at the next request when a licence ends, also those with a token that was given before', async () => {
    const scope = 'scope=repository:products/pro/app:pull&scope=repository:products/basic/app:pull'
    const asked = await customer(licences.large).send('GET', `/auth/token?service=stowage&${scope}`)
    const { token } = asked.json() as { token: string }
    const withToken = as(server.url, `Bearer ${token}`)
    expect(await statuses(withToken, pulls)).toEqual([200, 200, 403])
    await writeLicences(directory, [licences.small, { ...licences.large, ends: past }, licences.former])
    try {
      for (const door of [withToken, customer(licences.large), customer(licences.former)]) {
        expect(await statuses(door, pulls)).toEqual([403, 403, 403])
      }
      const answer = await withToken.send('GET', `${inPro}/manifests/v1`)
      expect(answer.text()).toContain('This licence has ended. Renew it to go on.')
      expect(await statuses(customer(licences.small), pulls)).toEqual([200, 403, 403])
      // A plan that became smaller is as soon in force.
      await writeLicences(directory, [{ ...licences.large, plan: 'basic' }])
      expect(await statuses(withToken, pulls)).toEqual([200, 403, 403])
      // And a licence that is gone is no licence.
      await writeLicences(directory, [])
      expect(await statuses(withToken, pulls)).toEqual([403, 403, 403])
      expect(await statuses(customer(licences.large), pulls)).toEqual([401, 401, 401])
    } finally {
      await writeLicences(directory, Object.values(licences))
    }
  })

  it('does not start with a key that is easy to guess', async () => {
    const node = [process.execPath, '--conditions=@stowage/source'] as const
    const started = startExample('licences', node, directory, AbortSignal.timeout(30_000), { VENDOR_KEY: 'secret' })
    await expect(started).rejects.toThrow(/Set VENDOR_KEY/)
  })
})

/** Each of the host's functions may stand alone: what it does not say is said by the registry's accounts, or by nobody. */
describe('a host that decides a part', () => {
  const byHeader: AccessControl['authenticate'] = ({ header }) => {
    const name = header('x-user')
    if (name === 'mallory') throw new RegistryError('unauthorized', 'This name is taken.')
    return name === null ? anonymous : { kind: 'user', name }
  }
  const ownFolder: AccessControl['authorize'] = ({ kind, name }, action, { repository = '' }) => {
    if (kind === 'anonymous') return { allow: false, login: 'required' }
    return { allow: action === 'ping' || repository.startsWith(`${name}/`) }
  }
  const accounts: NonNullable<RegistryOptions['accounts']> = {
    firstAdministrator: { name: 'root', password: 'correct horse' },
    rules: [{ subject: { kind: 'user', name: 'ada' }, repositories: 'team/*', actions: ['pull', 'push'] }],
  }
  const digest = sample.sha256(Buffer.from('x'))

  /** The statuses of a ping and of pushes to `team/` and `ada/`, and who was said to have pushed. */
  const outcomeOf = async (options: Partial<RegistryOptions>, headers: Record<string, string>): Promise<unknown> => {
    const actors: string[] = []
    const receivers = { all: async ({ actor }: { actor: string }) => void actors.push(actor) }
    await using server = await createTestRegistry({ ...options, hooks: { receivers } })
    if (server.registry.accounts !== undefined) {
      await server.registry.accounts.addUser({ name: 'ada', password: 'rawr and roar' })
    }
    const door = as(server.url)
    const asked: number[] = [(await door.send('GET', '/v2/', { headers })).status]
    for (const name of ['team/app', 'ada/app']) {
      const target = `/v2/${name}/blobs/uploads/?digest=${digest}`
      asked.push((await door.send('POST', target, { headers, body: 'x' })).status)
    }
    const pushes = asked.filter((status) => status === 201).length
    await expect.poll(() => actors.length).toBe(pushes)
    return { asked, actors: [...new Set(actors)] }
  }
  const nobody = {}
  const ada = { authorization: basic('ada', 'rawr and roar') }
  const wrong = { authorization: basic('ada', 'guessed it') }
  const adaByHeader = { 'x-user': 'ada' }

  it('authenticate alone, without accounts: everybody has a name, and may do everything', async () => {
    const options = { access: { authenticate: byHeader } }
    expect(await outcomeOf(options, adaByHeader)).toEqual({ asked: [200, 201, 201], actors: ['ada'] })
    expect(await outcomeOf(options, nobody)).toEqual({ asked: [200, 201, 201], actors: ['anonymous'] })
    expect(await outcomeOf(options, { 'x-user': 'mallory' })).toEqual({ asked: [401, 401, 401], actors: [] })
  })

  it('authorize alone, without accounts: everybody is anonymous', async () => {
    const options = { access: { authorize: ownFolder } }
    expect(await outcomeOf(options, adaByHeader)).toEqual({ asked: [401, 401, 401], actors: [] })
    const open = { access: { authorize: () => ({ allow: true }) as const } }
    expect(await outcomeOf(open, nobody)).toEqual({ asked: [200, 201, 201], actors: ['anonymous'] })
  })

  it('both, without accounts', async () => {
    const options = { access: { authenticate: byHeader, authorize: ownFolder } }
    expect(await outcomeOf(options, adaByHeader)).toEqual({ asked: [200, 403, 201], actors: ['ada'] })
    expect(await outcomeOf(options, nobody)).toEqual({ asked: [401, 401, 401], actors: [] })
  })

  it('authenticate alone, with accounts: the rules of the registry, for those whom the host knows', async () => {
    const options = { accounts, access: { authenticate: byHeader } }
    expect(await outcomeOf(options, adaByHeader)).toEqual({ asked: [200, 201, 403], actors: ['ada'] })
    expect(await outcomeOf(options, nobody)).toEqual({ asked: [401, 401, 401], actors: [] })
    // The registry's own passwords are then nobody's business.
    expect(await outcomeOf(options, ada)).toEqual({ asked: [401, 401, 401], actors: [] })
  })

  it('authorize alone, with accounts: the users of the registry, and what the host says of them', async () => {
    const options = { accounts, access: { authorize: ownFolder } }
    expect(await outcomeOf(options, ada)).toEqual({ asked: [200, 403, 201], actors: ['ada'] })
    expect(await outcomeOf(options, wrong)).toEqual({ asked: [401, 401, 401], actors: [] })
    expect(await outcomeOf(options, nobody)).toEqual({ asked: [401, 401, 401], actors: [] })
  })

  it('both, with accounts', async () => {
    const options = { accounts, access: { authenticate: byHeader, authorize: ownFolder } }
    expect(await outcomeOf(options, adaByHeader)).toEqual({ asked: [200, 403, 201], actors: ['ada'] })
    expect(await outcomeOf(options, nobody)).toEqual({ asked: [401, 401, 401], actors: [] })
  })

  it('shows no list that its authorize could have forbidden, unless it says what may be shown', async () => {
    const access: AccessControl = { authorize: () => ({ allow: true }) }
    const listOf = async (own: AccessControl): Promise<unknown> => {
      await using server = await createTestRegistry({ accounts, access: own })
      await sample.pushImage(as(server.url, basic('root', 'correct horse')), 'team/app', 'v1', image)
      return (await as(server.url, basic('root', 'correct horse')).send('GET', '/v2/_catalog')).json()
    }
    expect(await listOf(access)).toEqual({ repositories: [] })
    const visible: AccessControl['visible'] = () => ({ kind: 'any-of', globs: ['team/*'] })
    expect(await listOf({ ...access, visible })).toEqual({ repositories: ['team/app'] })
  })
})
