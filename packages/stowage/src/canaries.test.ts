import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { serve } from './serve.ts'
import { createCanaries, createCapture } from './testing/canaries.ts'
import { connectTo } from './testing/raw-connection.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

interface Answer {
  readonly status: number
  readonly text: string
}

/** The whole answer, head and body. Any header may be sent, also those that `fetch` keeps to itself. */
const send = async (
  to: { port: number } | { socketPath: string },
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> => {
  const settled = Promise.withResolvers<Answer>()
  const request = httpRequest(
    { ...('port' in to ? { host: '127.0.0.1' } : {}), ...to, method, path, headers, agent: false },
    (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = `${response.rawHeaders.join('\n')}\n${Buffer.concat(chunks).toString()}`
        settled.resolve({ status: response.statusCode ?? 0, text })
      })
    },
  )
  request.on('error', settled.reject)
  request.end(body)
  return settled.promise
}

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const encoded = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString()

/** Routes of the registry, of which each answers in its own way. */
const targets: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/v2/'],
  ['GET', '/v2/_catalog'],
  ['GET', '/v2/_catalog?n=x'],
  ['GET', '/v2/a/tags/list'],
  ['GET', '/v2/A/tags/list'],
  ['GET', '/v2/a/manifests/none'],
  ['GET', '/v2/a/manifests/sha256:x'],
  ['PUT', '/v2/a/manifests/new'],
  ['DELETE', '/v2/a/manifests/none'],
  ['GET', `/v2/a/blobs/${sha256('none')}`],
  ['HEAD', `/v2/a/blobs/${sha256('none')}`],
  ['DELETE', `/v2/a/blobs/${sha256('none')}`],
  ['GET', `/v2/a/referrers/${sha256('none')}`],
  ['POST', '/v2/a/blobs/uploads/'],
  ['POST', `/v2/a/blobs/uploads/?mount=${sha256('none')}&from=b`],
  ['POST', '/v2/a/blobs/uploads/?digest=md5:x'],
  ['GET', '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000'],
  ['PATCH', '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000'],
  ['PUT', '/v2/a/blobs/uploads/00000000-0000-4000-8000-000000000000'],
  ['DELETE', '/v2/a/blobs/uploads/x'],
  ['GET', '/v2/a//tags/list'],
  ['GET', '/v2/nothing'],
  ['PROPFIND', '/v2/a/tags/list'],
  ['GET', '/auth/token'],
  ['POST', '/auth/token'],
  ['GET', '/'],
  ['GET', '/metrics'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['GET', '/elsewhere'],
]

test('T10, CVE-2025-48374: no log, metric, error, page or database has a secret', async () => {
  await using directory = await temporaryDirectory()
  const { make, add, within } = createCanaries()
  const capture = createCapture()
  const answers: Answer[] = []
  const noted = async (...given: Parameters<typeof send>): Promise<Answer> => {
    const answer = await send(...given)
    answers.push(answer)
    return answer
  }
  const data = join(directory.path, 'data')
  mkdirSync(data, { mode: 0o700 })
  const secretFile = join(directory.path, 'secret')
  await writeFile(secretFile, `${make('access.secretFile')}-long-enough\n`, { mode: 0o600 })
  const htpasswd = join(directory.path, 'htpasswd')
  // The hash is a canary too: who has it can try passwords at home.
  await writeFile(
    htpasswd,
    `file:${add('a hash of htpasswd', '$2b$04$Dj1/9svYqlXTRtPL4o.qUOBqNZ0lY2uy/9e6aSJGJMwsyBEWhOnPe')}\n`,
  )
  add('a password of htpasswd', 'correct horse battery')
  const adminPassword = make('admin.password')

  const open = (): ReturnType<typeof serve> =>
    serve({
      address: '127.0.0.1:0',
      data,
      auth: true,
      admin: { name: 'boss', password: adminPassword },
      access: {
        secretFile,
        htpasswd,
        rules: [{ subject: 'user:ann', repositories: 'a', actions: ['pull', 'push', 'overwrite', 'delete'] }],
        issuers: [
          {
            name: 'ci',
            // Nothing listens there.
            issuer: 'http://127.0.0.1:9/issuer',
            audience: 'stowage',
            conditions: { repository: 'mine' },
            permissions: [{ repositories: 'a', actions: ['pull'] }],
          },
        ],
      },
      log: { level: 'debug' },
      logger: capture.logger,
    })
  const usable: Record<string, string> = {}
  {
    await using serving = await open()
    const { port } = serving.address
    const admin = { socketPath: join(data, 'admin.sock') }
    const operation = async (name: string, body: object, raw = JSON.stringify(body)): Promise<Answer> =>
      noted(admin, 'POST', `/v1/accounts/${name}`, { 'content-type': 'application/json' }, raw)

    // Administration, with what is right and with what is not.
    const annPassword = make('the password of a user')
    expect((await operation('user-add', { name: 'ann', password: annPassword })).status).toBe(200)
    const asked = await send(
      admin,
      'POST',
      '/v1/accounts/token-add',
      { 'content-type': 'application/json' },
      JSON.stringify({ user: 'ann', label: 'one' }),
    )
    const personal = add('a personal token', /stwp_\w{16}_[\w-]{43}/.exec(asked.text)?.[0] ?? '')
    expect(personal).not.toBe('')
    add('the secret of a personal token', personal.slice(22))
    await operation('user-add', { name: 'ann', password: make('the password of a user that exists') })
    await operation('user-add', { name: '-', password: make('the password of a wrong name') })
    await operation('user-add', { name: 'x', password: make('a password with more') + 'x'.repeat(2000) })
    await operation('user-add', { name: 'x', password: [make('a password in a list')] })
    await operation('user-add', { name: 'x', secret: make('a member that there is not') })
    await operation('user-add', {}, `{"name":"x","password":"${make('a password in what is no JSON')}"`)
    await operation('user-password', { name: 'nobody', password: make('the password of nobody') })
    await operation('token-remove', { id: make('a token for an id') }).catch(() => undefined)
    await operation(make('a name of an operation'), {})

    // Credentials that are right, wrong, malformed, in the wrong place, and too long.
    const tokens = await send(
      { port },
      'POST',
      '/auth/token',
      form,
      encoded({
        grant_type: 'password',
        username: 'ann',
        password: annPassword,
        access_type: 'offline',
        client_id: 'x',
        scope: 'repository:a:pull,push,delete',
      }),
    )
    const { token, refresh_token: refresh } = JSON.parse(tokens.text.slice(tokens.text.indexOf('{'))) as Record<
      string,
      string
    >
    usable['Bearer'] = `Bearer ${add('a Bearer token', token ?? '')}`
    add('the signature of a Bearer token', token?.split('.')[2] ?? '')
    add('a refresh token', refresh ?? '')
    add('the secret of a refresh token', refresh?.slice(22) ?? '')
    usable['password'] = basic('ann', annPassword)
    usable['token'] = basic('ann', personal)
    const idToken = [
      { alg: 'ES256', kid: 'x' },
      { iss: 'http://127.0.0.1:9/issuer', sub: 'job', aud: 'stowage', exp: 4e9, jti: make('a claim of an ID token') },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const authorizations = [
      ...Object.values(usable),
      basic('boss', adminPassword),
      basic('file', 'correct horse battery'),
      basic('ann', make('a wrong password')),
      basic('nobody', make('the password of nobody at the door')),
      basic(make('a password for a name'), 'x'),
      basic('ann', `stwp_${'a'.repeat(16)}_${add('an unknown token', randomBytes(32).toString('base64url'))}`),
      basic(
        'ann',
        `${idToken.join('.')}.${add('the signature of an ID token', randomBytes(64).toString('base64url'))}`,
      ),
      `Bearer ${make('a Bearer token of nonsense')}`,
      `Bearer ${token?.slice(0, -20)}${add('the end of a Bearer token', randomBytes(15).toString('base64url'))}`,
      `Bearer ${make('half')} ${make('a Bearer token in two')}`,
      `Basic ${make('no base64')}`,
      `Basic ${Buffer.from(make('no colon')).toString('base64')}`,
      `Basic ${Buffer.from(`ann:\u0000${make('a control character')}`).toString('base64')}`,
      `Digest username="ann", response="${make('a digest')}"`,
      `Negotiate ${make('a ticket')}`,
      make('no scheme'),
      `Bearer ${make('a long one')}${'x'.repeat(9000)}`,
    ]
    const elsewhere = {
      cookie: `session=${make('a cookie')}`,
      'proxy-authorization': basic('ann', make('a proxy')),
      'x-api-key': make('an API key'),
      'x-auth-token': make('an auth token'),
      'x-registry-auth': make('a registry auth'),
      referer: `https://ann:${make('a referer')}@example.test/?token=${make('a query of a referer')}`,
      'x-forwarded-for': make('a forwarded address'),
      'user-agent': `client/${make('a user agent')}`,
    }
    const query = ['access_token', 'token', 'password', 'client_secret', '_state', 'X-Amz-Signature', 'sig']
      .map((name) => `${name}=${make(`the parameter ${name}`)}`)
      .join('&')
    const seen = new Set<number>()
    for (const authorization of [undefined, ...authorizations]) {
      for (const [method, path] of targets) {
        const target = `${path}${path.includes('?') ? '&' : '?'}${query}`
        const headers = { ...elsewhere, ...(authorization !== undefined && { authorization }) }
        seen.add((await noted({ port }, method, target, headers)).status)
      }
    }
    expect([...seen].toSorted()).toEqual(expect.arrayContaining([200, 202, 400, 401, 404, 405, 415]))

    // Requests for tokens, with everything in the place of everything else.
    for (const parameters of [
      { grant_type: 'password', username: 'ann', password: make('a wrong password of a form') },
      { grant_type: 'password', username: make('a password for a name of a form'), password: '' },
      { grant_type: make('a grant type') },
      { grant_type: 'refresh_token', refresh_token: make('a refresh token of nonsense') },
      { grant_type: 'refresh_token', refresh_token: personal },
      { grant_type: 'password', username: 'ann', password: refresh ?? '', client_secret: make('a client secret') },
      { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: make('a subject token') },
      { grant_type: 'password', username: 'ann', password: annPassword, service: make('a service') },
      { grant_type: 'password', username: 'ann', password: annPassword, scope: `x:${make('a scope')}:y` },
      { grant_type: 'password', username: 'ann', password: `${make('a password with a line')}\n` },
      { grant_type: 'password', username: 'ann', password: make('a long password') + 'x'.repeat(20_000) },
    ]) {
      const answer = await noted({ port }, 'POST', '/auth/token', form, encoded(parameters))
      // A good one has a token in it, which is what it was asked for.
      if (answer.status === 200) answers.pop()
    }
    await noted(
      { port },
      'POST',
      '/auth/token',
      { 'content-type': 'application/json' },
      JSON.stringify({ password: make('JSON') }),
    )

    // In the target itself, as proxies write it; and what is no HTTP.
    for (const head of [
      `GET http://ann:${make('userinfo')}@registry.test/v2/a/tags/list HTTP/1.1\r\nHost: x`,
      `GET /v2/a/tags/list HTTP/1.1\r\nHost: ann:${make('userinfo of a host')}@x`,
      `GET /v2/a/tags/list HTTP/9.9\r\nAuthorization: ${make('another version')}`,
      `GET /v2/a/tags/list HTTP/1.1\r\nHost: x\r\nAuthorization : ${make('a space in a header')}`,
      `${make('no method')} /v2/ HTTP/1.1\r\nHost: x`,
    ]) {
      using connection = await connectTo(port)
      connection.send(`${head}\r\nConnection: close\r\n\r\n`)
      answers.push({ status: 0, text: await connection.ended() })
    }

    // What the server itself is not prepared for.
    const pushed = await send(
      { port },
      'POST',
      `/v2/a/blobs/uploads/?digest=${sha256('x')}`,
      { authorization: usable['token'] ?? '' },
      'x',
    )
    expect(pushed.status).toBe(201)
    const database = new DatabaseSync(join(data, 'registry.db'))
    database.exec('alter table tags rename to tags_elsewhere')
    // Not by the password: somebody has been guessing at it.
    for (const authorization of [usable['Bearer'] ?? '', usable['token'] ?? '']) {
      const answer = await noted({ port }, 'GET', `/v2/a/tags/list?${query}`, { ...elsewhere, authorization })
      expect(answer.status).toBe(500)
    }
    database.exec('alter table tags_elsewhere rename to tags')
    database.close()
    const metrics = await noted({ port }, 'GET', '/metrics')
    expect(metrics.text).toContain('stowage_http_requests_total')
    await noted(admin, 'GET', '/v1/status')
  }
  // A start that fails: the admin's password is refused, among other things.
  const input = { address: '127.0.0.1:0', data, auth: true as const, logger: capture.logger }
  const failures: string[] = []
  for (const wrong of [
    { admin: { password: `${make('an admin password with a line')}\n` } },
    { admin: { password: make('an admin password that is too long') + 'x'.repeat(2000) } },
    { admin: { password: make('an admin password'), passwordFile: secretFile } },
    { access: { secretFile: htpasswd }, admin: { name: '-', password: make('the password of a wrong admin') } },
    { publicUrl: `https://ann:${make('a public URL')}@registry.test` },
    { tokenServer: { realm: `https://ann:${make('a realm')}@tokens.test`, issuer: 'x', jwks: 'https://x.test' } },
  ]) {
    await expect(
      serve({ ...input, ...wrong }).catch((error: unknown) => {
        failures.push(inspect(error, { depth: Infinity, maxStringLength: null }))
        throw error
      }),
    ).rejects.toThrow()
  }

  const { calls, lines, pretty } = capture
  expect(calls.length).toBeGreaterThan(300)
  expect(lines.some((line) => line.includes('"level":"debug"'))).toBe(true)
  expect(lines.some((line) => line.includes('a request failed unexpectedly'))).toBe(true)
  expect(answers.length).toBeGreaterThan(300)
  const files = await readdir(data, { recursive: true, withFileTypes: true })
  const stored: string[] = []
  for (const file of files) {
    if (file.isFile()) stored.push(await readFile(join(file.parentPath, file.name), 'latin1'))
  }
  expect(stored.join('').includes('argon2id')).toBe(true)
  for (const [place, texts] of Object.entries({
    'the answers': answers.map(({ text }) => text),
    'the log as it is written': lines,
    'the log for people': pretty,
    'what is given to the log': calls,
    'the data directory': stored,
    'what a start says that fails': failures,
  })) {
    const found = texts.flatMap((text) => within(text).map((where) => `${where}: ${text.slice(0, 400)}`))
    expect([place, found.slice(0, 5)]).toEqual([place, []])
  }
  // What would be there would be seen.
  const canary = make('the control')
  capture.logger.info({ deep: { er: new Error(`x ${Buffer.from(`ann:${canary}`).toString('base64')} y`) } }, 'control')
  expect(within(capture.calls.at(-1) ?? '')).toEqual(['the control'])
  expect(within(encodeURIComponent(`Basic ${Buffer.from(`a:${canary}`).toString('base64url')}`))).toEqual([
    'the control',
  ])
}, 60_000)
