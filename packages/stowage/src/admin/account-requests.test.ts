import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createRegistry } from '@stowage/registry'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { accountGroup } from './account-operations.ts'
import { askAccountServer } from './client.ts'
import { openAdminSocket } from './server.ts'

const operations = {
  status: async () => Promise.reject(new Error('not asked here')),
  sweep: async () => Promise.reject(new Error('not asked here')),
}

const open = async () => {
  const directory = await temporaryDirectory()
  const registry = await createRegistry({ storage: ':memory:', accounts: {} })
  const lines: string[] = []
  const write = (...line: unknown[]): void => void lines.push(JSON.stringify(line))
  const logger = { debug: write, info: write, warn: write, error: write }
  if (registry.accounts === undefined) throw new Error('There are no accounts.')
  const group = accountGroup({ accounts: registry.accounts, facts: { auth: true } })
  const admin = await openAdminSocket(directory.path, operations, [group], logger)
  onTestFinished(async () => {
    await admin[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  const post = async (
    operation: string,
    body: string | Uint8Array,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<{ status: number | undefined; body: unknown }> => {
    const asked = request({
      socketPath: join(directory.path, 'admin.sock'),
      method: 'POST',
      path: `/v1/accounts/${operation}`,
      headers,
      agent: false,
    }).end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return { status: response.statusCode, body: JSON.parse(await text(response)) }
  }
  return { data: directory.path, registry, lines, post }
}

test('does what it is asked, and answers in JSON', async () => {
  const { data, post } = await open()
  expect(await post('user-add', '{"name":"ada","password":"correct horse","groups":["dev"]}')).toMatchObject({
    status: 200,
    body: { name: 'ada', groups: ['dev'], hasPassword: true, administrator: false },
  })
  expect(await askAccountServer(data, 'user-list', {})).toMatchObject({ value: { users: [{ name: 'ada' }] } })
  expect(await post('rule-add', '{"subject":"group:dev","repositories":"*","actions":["pull"]}')).toMatchObject({
    status: 200,
    body: { id: expect.any(Number) as number, subject: 'group:dev' },
  })
  expect(await post('explain', '{"name":"ada","action":"pull","repository":"a/b"}')).toMatchObject({
    status: 200,
    body: { allowed: true, decision: 'rule', rule: { subject: 'group:dev', repositories: '*', actions: ['pull'] } },
  })
})

test('what cannot be done says why, and which member is wrong', async () => {
  const { post } = await open()
  await post('user-add', '{"name":"ada"}')
  const refused = async (operation: string, body: string): Promise<unknown> => {
    const { status, body: said } = await post(operation, body)
    const { code, field } = (said as { error: { code: string; field?: string } }).error
    return [status, code, field]
  }
  expect(await refused('user-add', '{"name":"a b"}')).toEqual([400, 'invalid', 'name'])
  expect(await refused('user-add', '{"name":"bob","password":"short"}')).toEqual([400, 'invalid', 'password'])
  expect(await refused('user-add', '{"name":"ada"}')).toEqual([409, 'exists', 'name'])
  expect(await refused('user-remove', '{"name":"bob"}')).toEqual([404, 'unknown', undefined])
  expect(
    await refused('token-add', '{"user":"ada","label":"x","permissions":[{"repositories":"A","actions":["pull"]}]}'),
  ).toEqual([400, 'invalid', 'permissions[0].repositories'])
  expect(await refused('rule-add', '{"subject":"ada","repositories":"*","actions":["pull"]}')).toEqual([
    400,
    'invalid',
    'subject',
  ])
  expect(await refused('rule-add', '{"subject":"user:ada","repositories":"*","actions":["write"]}')).toEqual([
    400,
    'invalid',
    'actions[0]',
  ])
})

// CVE-2019-16097: a member that nobody asked for made an administrator of a user.
test.each([
  ['user-add', '{"name":"bob","id":"1"}', 'id'],
  ['user-change', '{"name":"ada","passwordHash":"x"}', 'passwordHash'],
  ['user-password', '{"name":"ada","password":"correct horse","administrator":true}', 'administrator'],
  ['user-list', '{"order":"passwordHash"}', 'order'],
  ['token-add', '{"user":"ada","label":"x","userId":"1"}', 'userId'],
  [
    'token-add',
    '{"user":"ada","label":"x","permissions":[{"repositories":"*","actions":[],"owner":1}]}',
    'permissions[0]',
  ],
  ['rule-add', '{"subject":"anonymous","repositories":"*","actions":["pull"],"id":1}', 'id'],
  ['issuer-list', '{"__proto__":{}}', '__proto__'],
  ['key-rotate', '{"revoke":true,"key":"x"}', 'key'],
])('%s refuses a member that it does not have: %s', async (operation, body, field) => {
  const { post, registry } = await open()
  await registry.accounts?.addUser({ name: 'ada' })
  expect(await post(operation, body)).toEqual({
    status: 400,
    body: { error: { code: 'invalid', message: expect.stringContaining('There is no member') as string, field } },
  })
  expect(await registry.accounts?.listUsers()).toHaveLength(1)
  expect(await registry.accounts?.listRules()).toEqual([])
})

test('takes JSON of a bounded size, and nothing else', async () => {
  const { post } = await open()
  const type = (value: string): Record<string, string> => ({ 'content-type': value })
  expect(await post('user-list', '{}', {})).toMatchObject({ status: 415, body: { error: { code: 'media-type' } } })
  expect(await post('user-list', '{}', type('text/plain'))).toMatchObject({ status: 415 })
  expect(await post('user-list', '{}', type('application/json; charset=utf-8'))).toMatchObject({ status: 200 })
  expect(await post('user-list', '{')).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
  expect(await post('user-list', '')).toMatchObject({ status: 400 })
  for (const body of ['[]', '7', 'null', '"x"']) expect(await post('user-list', body)).toMatchObject({ status: 400 })
  const large = JSON.stringify({ name: 'x'.repeat(65 * 1024) })
  expect(await post('user-add', large)).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } })
  expect(await post('user-add', ' '.repeat(4 * 1024 * 1024))).toMatchObject({ status: 413 })
})

test('an operation that is not there is a 404, whatever it is called', async () => {
  const { post } = await open()
  for (const name of ['', 'user', 'constructor', '__proto__', 'user-add/']) {
    expect(await post(name, '{}')).toMatchObject({ status: 404, body: { error: { code: 'not-found' } } })
  }
})

test('each change is one line of the log, with whom or what it is about', async () => {
  const { post, lines } = await open()
  const done = async (operation: string, body: object): Promise<{ value: Record<string, unknown>; line: unknown }> => {
    lines.length = 0
    const { status, body: value } = await post(operation, JSON.stringify(body))
    expect({ operation, status, value }).toMatchObject({ status: 200 })
    expect(lines.length).toBeLessThan(2)
    return { value: value as Record<string, unknown>, line: lines[0] && (JSON.parse(lines[0]) as unknown) }
  }
  const line = async (operation: string, body: object): Promise<unknown> => (await done(operation, body)).line
  const said = (operation: string, facts: object): unknown[] => [{ operation, ...facts }, 'administration']

  expect(await line('user-add', { name: 'ada', password: 'correct horse', groups: ['dev'] })).toEqual(
    said('user-add', { user: 'ada', administrator: false, groups: ['dev'] }),
  )
  expect(await line('user-password', { name: 'ada', password: 'another horse' })).toEqual(
    said('user-password', { user: 'ada' }),
  )
  expect(await line('user-change', { name: 'ada', administrator: true })).toEqual(
    said('user-change', { user: 'ada', administrator: true }),
  )
  const token = await done('token-add', { user: 'ada', label: 'laptop' })
  const { id } = token.value['token'] as { id: string }
  expect(token.line).toEqual(said('token-add', { id, user: 'ada', label: 'laptop' }))
  expect(JSON.stringify(token.line)).not.toContain((token.value['secret'] as string).slice(-43))
  expect(await line('token-remove', { id })).toEqual(said('token-remove', { id }))
  const rule = { subject: 'user:ada', repositories: 'a', actions: ['pull'] }
  const added = await done('rule-add', rule)
  expect(added.line).toEqual(said('rule-add', { id: added.value['id'], ...rule }))
  expect(await line('rule-remove', { id: added.value['id'] })).toEqual(said('rule-remove', { id: added.value['id'] }))
  const permissions = [{ repositories: 'a', actions: ['pull'] }]
  const issuer = { name: 'ci', issuer: 'https://ci.example', audience: 'x', conditions: { sub: 'a' }, permissions }
  expect(await line('issuer-add', issuer)).toEqual(said('issuer-add', { name: 'ci', issuer: 'https://ci.example' }))
  expect(await line('issuer-remove', { name: 'ci' })).toEqual(said('issuer-remove', { name: 'ci' }))
  const key = await done('key-rotate', { revoke: true })
  expect(key.line).toEqual(said('key-rotate', { id: key.value['id'], revoke: true }))
  expect(await line('user-remove', { name: 'ada' })).toEqual(said('user-remove', { user: 'ada' }))

  for (const looks of ['user-list', 'token-list', 'rule-list', 'issuer-list', 'key-list']) {
    expect(await line(looks, {})).toBeUndefined()
  }
  expect(await line('explain', { action: 'pull', repository: 'a' })).toBeUndefined()
  lines.length = 0
  await post('user-remove', '{"name":"ada"}')
  expect(lines).toEqual([])
})

test('what is no UTF-8 is refused', async () => {
  const { post } = await open()
  const body = Buffer.concat([Buffer.from('{"name":"ada","password":"correct '), Buffer.of(0xff), Buffer.from('"}')])
  expect(await post('user-add', body)).toMatchObject({ status: 400, body: { error: { code: 'invalid' } } })
})

test('a password is in no answer and in no line of the log', async () => {
  const { post, lines } = await open()
  const canary = 'canary-7f3a91'
  const answers = [
    await post('user-add', JSON.stringify({ name: 'ada', password: canary })),
    await post('user-add', JSON.stringify({ name: 'ada', password: canary })),
    await post('user-add', JSON.stringify({ name: 'bob', password: [canary] })),
    await post('user-add', JSON.stringify({ name: canary.repeat(50), password: canary, passwd: canary })),
    await post('user-password', JSON.stringify({ name: 'eve', password: canary })),
    await post('user-password', `{"name":"ada","password":"${canary}`),
  ]
  expect(answers.map(({ status }) => status)).toEqual([200, 409, 400, 400, 404, 400])
  expect(JSON.stringify([answers, lines])).not.toContain(canary)
})
