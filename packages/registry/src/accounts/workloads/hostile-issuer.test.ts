import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RegistryError } from '../../errors.ts'
import { type Logger, silentLogger } from '../../logger.ts'
import { discoveryPath, type PlainIssuer, startPlainIssuer } from '../../testing/plain-issuer.ts'
import { createWorkloads, type TrustedIssuer, type Workloads } from './issuers.ts'

let issuer: PlainIssuer
let good: PlainIssuer

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  issuer = await startPlainIssuer()
  good = await startPlainIssuer()
})
afterEach(async () => {
  vi.useRealTimers()
  await issuer[Symbol.asyncDispose]()
  await good[Symbol.asyncDispose]()
})

const open = (logger: Logger = silentLogger, timeout = 5000): Workloads =>
  createWorkloads({ now: () => Date.now(), logger, timeout })

const entry = (change: Partial<TrustedIssuer> = {}): TrustedIssuer => ({
  name: 'ci',
  issuer: issuer.url,
  audience: 'stowage',
  conditions: { repository: 'team/*' },
  ...change,
})

const expectUnavailable = async (workloads: Workloads, change: Partial<TrustedIssuer> = {}): Promise<void> => {
  const error = await workloads.verify(await issuer.sign(), [entry(change)]).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(RegistryError)
  expect(error).toMatchObject({ fault: 'overloaded', hints: { retryAfter: 10 } })
  // Anybody can come with a token that says it is of this issuer.
  expect(String(error)).toContain('cannot be verified at the moment')
  expect(String(error)).not.toMatch(/\bci\b|127\.0\.0\.1/)
}

const paths: [string, string][] = [
  ['discovery document', discoveryPath],
  ['keys', '/keys'],
]

it('a token of this issuer is good as long as it behaves', async () => {
  await expect(open().verify(await issuer.sign(), [entry()])).resolves.toMatchObject({ name: 'ci:repo:team/app' })
})

describe.each(paths)('its %s', (_, path) => {
  const serve = (page: unknown): void => void issuer.pages.set(path, page)
  type Answer = (request: IncomingMessage, response: ServerResponse) => void

  it('without an end are not read to it', async () => {
    let sent = 0
    const endless: Answer = (_request, response) => {
      const piece = Buffer.alloc(64 * 1024, ' ')
      const write = (): void => {
        while (!response.destroyed && response.write(piece)) sent += piece.length
      }
      response.on('drain', write)
      write()
    }
    serve(endless)
    await expectUnavailable(open())
    // What the two ends of a socket may hold, and no more.
    expect(sent).toBeLessThan(32 * 1024 * 1024)
  })

  it.each([
    ['an array', []],
    ['null', null],
    ['a text', 'keys'],
    ['without what is needed', {}],
    ['with things that are no keys', { issuer: 'x', jwks_uri: 5, keys: [null, 5] }],
    ['with too many keys', { keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) }],
  ])('that are %s are not taken', async (_what, page) => {
    serve(page)
    await expectUnavailable(open())
  })

  it('are taken up to their size and not beyond', async () => {
    const most = path === '/keys' ? 256 * 1024 : 64 * 1024
    const page = JSON.stringify(issuer.pages.get(path))
    const serveBytes = (size: number): void => {
      const answer: Answer = (_request, response) => void response.end(page.padEnd(size))
      serve(answer)
    }
    serveBytes(most + 1)
    await expectUnavailable(open())
    serveBytes(most)
    await expect(open().verify(await issuer.sign(), [entry()])).resolves.toBeDefined()
  })

  it.each(['', '{', '<html>', '\ufeff{}', Buffer.from([0x22, 0xff, 0x22])])(
    'that are no JSON are not taken',
    async (body) => {
      const answer: Answer = (_request, response) => void response.end(body)
      serve(answer)
      await expectUnavailable(open())
    },
  )

  it('that unpack to more than they are sent as are not taken', async () => {
    const page = JSON.stringify(issuer.pages.get(path))
    const asked: unknown[] = []
    const bomb: Answer = (request, response) => {
      asked.push(request.headers['accept-encoding'])
      response.setHeader('content-encoding', 'gzip').end(gzipSync(page.padEnd(16 * 1024 * 1024)))
    }
    serve(bomb)
    await expectUnavailable(open())
    expect(asked).toEqual(['identity'])
  })

  it.each([301, 302, 303, 307, 308])('are not looked for elsewhere (%d)', async (status) => {
    const redirect: Answer = (_request, response) =>
      void response.writeHead(status, { location: `${good.url}/keys` }).end()
    serve(redirect)
    await expectUnavailable(open())
    expect(good.requests).toEqual([])
  })

  it.each([204, 400, 401, 404, 500, 503])('with the status %d are not taken', async (status) => {
    const answer: Answer = (_request, response) => void response.writeHead(status).end()
    serve(answer)
    await expectUnavailable(open())
  })

  it('are asked for without credentials and cookies', async () => {
    const headers: IncomingMessage['headers'][] = []
    const answer: Answer = (request, response) => {
      headers.push(request.headers)
      response.setHeader('set-cookie', 'a=b').end('{}')
    }
    serve(answer)
    const workloads = open()
    await expectUnavailable(workloads)
    vi.setSystemTime(Date.now() + 11_000)
    await expectUnavailable(workloads)
    expect(headers).toHaveLength(2)
    for (const each of headers) {
      expect(each.authorization).toBeUndefined()
      expect(each.cookie).toBeUndefined()
    }
  })

  it.each([
    ['nothing', (): void => {}],
    ['headers only', (_request: IncomingMessage, response: ServerResponse) => response.writeHead(200).flushHeaders()],
    [
      'a byte now and then',
      (_request: IncomingMessage, response: ServerResponse) => {
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('that stall (%s) hold up that login only', async (_what, answer) => {
    serve(answer)
    const workloads = open(silentLogger, 300)
    const stalled = expectUnavailable(workloads)
    const other = entry({ name: 'other', issuer: good.url })
    await expect(workloads.verify(await good.sign(), [other])).resolves.toMatchObject({ issuers: [other] })
    await stalled
  })

  it('that cannot be had are not asked for with every login, and it is logged once', async () => {
    const warnings: object[] = []
    const workloads = open({ ...silentLogger, warn: (facts) => void warnings.push(facts) })
    issuer.pages.delete(path)
    await Promise.all(Array.from({ length: 20 }, () => expectUnavailable(workloads)))
    await expectUnavailable(workloads)
    expect(issuer.requests.filter((each) => each === path)).toHaveLength(1)
    expect(warnings).toEqual([expect.objectContaining({ reason: 'It answered with the status 404.' })])
    vi.setSystemTime(Date.now() + 9000)
    await expectUnavailable(workloads)
    expect(issuer.requests.filter((each) => each === path)).toHaveLength(1)
    issuer.pages.set('/keys', { keys: [issuer.publicJwk] })
    issuer.pages.set(discoveryPath, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` })
    vi.setSystemTime(Date.now() + 1001)
    await expect(workloads.verify(await issuer.sign(), [entry()])).resolves.toMatchObject({ subject: 'repo:team/app' })
  })
})

describe('a discovery document', () => {
  it.each([undefined, null, 'https://accounts.example', '/', ['self']])(
    'of another issuer (%j) is not taken',
    async (said) => {
      issuer.pages.set(discoveryPath, { issuer: said, jwks_uri: `${issuer.url}/keys` })
      await expectUnavailable(open())
      expect(issuer.requests).toEqual([discoveryPath])
    },
  )

  it('that differs by a slash is one of another', async () => {
    issuer.pages.set(discoveryPath, { issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/keys` })
    await expectUnavailable(open())
  })

  it.each([
    undefined,
    '/keys',
    'http://keys.example/keys',
    'http://169.254.169.254/latest/meta-data',
    'http://0.0.0.0/keys',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    'https://user:secret@keys.example/keys',
  ])('that sends us to %j is not followed', async (jwksUri) => {
    const fetched: string[] = []
    const workloads = createWorkloads({
      now: () => Date.now(),
      logger: silentLogger,
      fetch: (url, init) => {
        fetched.push(new Request(url).url)
        return fetch(url, init)
      },
    })
    issuer.pages.set(discoveryPath, { issuer: issuer.url, jwks_uri: jwksUri })
    await expectUnavailable(workloads)
    expect(fetched).toEqual([`${issuer.url}${discoveryPath}`])
  })

  it('of an issuer elsewhere does not send us to a port of this machine', async () => {
    const fetched: string[] = []
    const url = 'https://issuer.example'
    const workloads = createWorkloads({
      now: () => Date.now(),
      logger: silentLogger,
      fetch: (asked) => {
        fetched.push(new Request(asked).url)
        return Promise.resolve(Response.json({ issuer: url, jwks_uri: `${issuer.url}/keys` }))
      },
    })
    const error = await workloads
      .verify(await issuer.sign({ iss: url }), [entry({ issuer: url })])
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ fault: 'overloaded' })
    expect(fetched).toEqual([`${url}/.well-known/openid-configuration`])
  })

  it('is looked for below a path, with one slash', async () => {
    issuer.pages.set(`/realm${discoveryPath}`, { issuer: `${issuer.url}/realm/`, jwks_uri: `${issuer.url}/keys` })
    const jwt = await issuer.sign({ iss: `${issuer.url}/realm/` })
    await expect(open().verify(jwt, [entry({ issuer: `${issuer.url}/realm/` })])).resolves.toBeDefined()
  })
})

it('an issuer that nobody answers for refuses that login only', async () => {
  const { url } = issuer
  const jwt = await issuer.sign()
  await issuer[Symbol.asyncDispose]()
  const workloads = open()
  const error = await workloads.verify(jwt, [entry({ issuer: url })]).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ fault: 'overloaded' })
  await expect(
    workloads.verify(await good.sign(), [entry({ issuer: url }), entry({ issuer: good.url })]),
  ).resolves.toBeDefined()
  issuer = await startPlainIssuer()
})
