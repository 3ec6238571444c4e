import { faults, RegistryError } from '../errors.ts'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertDeclared, routes } from './routes.ts'

describe.each(doors)('the way of a request through $name', ({ open, name: doorName }) => {
  let door: OpenDoor
  beforeEach(async () => {
    door = await open()
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  it.each(['/v2/', '/v2'])('answers %s with exactly {"success":true}', async (path) => {
    const answer = await door.send('GET', path)
    expect([answer.status, answer.text(), answer.header('content-type')]).toEqual([
      200,
      '{"success":true}',
      'application/json',
    ])
    expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0')
  })

  it.each(['UPPER/repo', 'a--/b', 'a..b', 'a___b', '-a', 'a-', 'a/-b', 'a'.repeat(256), '_catalog'])(
    'refuses the repository name %s',
    async (name) => {
      const answer = await door.send('GET', `/v2/${name}/tags/list`)
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({ errors: [{ code: 'NAME_INVALID' }] })
    },
  )

  it.each(['a', 'my-org/repo', 'my.org/repo', 'a--b', 'a__b-c/d', 'a/blobs/uploads', 'tags/list'])(
    'pushes to and pulls from %s',
    async (name) => {
      await sample.pushImage(door, name, 'latest', sample.image('named'))
      expect((await door.send('GET', `/v2/${name}/manifests/latest`)).status).toBe(200)
      expect((await door.send('GET', `/v2/${name}/tags/list`)).json()).toEqual({ name, tags: ['latest'] })
    },
  )

  it('answers in the format of the specification to what does not exist', async () => {
    const nothing = await door.send('GET', '/v2/nothing/here')
    expect([nothing.status, nothing.header('content-type')]).toEqual([404, 'application/json'])
    expect(nothing.json()).toEqual({ errors: [{ code: 'UNSUPPORTED', message: expect.any(String) as string }] })
    const method = await door.send('POST', '/v2/a/tags/list')
    expect([method.status, method.header('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it('never reaches a repository other than the one that was authorised', async () => {
    await sample.pushImage(door, 'secret', 'latest', sample.image('secret'))
    const asked: (string | undefined)[] = []
    await using guarded = await open({
      access: {
        authorize: (_, action, { repository }) => {
          asked.push(repository)
          return repository === 'secret' ? { allow: false } : { allow: action !== 'ping' }
        },
      },
    })
    for (const target of [
      '/v2/open/../secret/manifests/latest',
      '/v2/open/%2e%2e/secret/manifests/latest',
      '/v2/open/.%2e/secret/manifests/latest',
      '/v2/./secret/manifests/latest',
      '/v2//secret/manifests/latest',
      '/v2/secret%2fmanifests/latest',
      '/v2/%73ecret/manifests/latest',
      '/v2/secret/manifests/latest',
    ]) {
      const answer = await guarded.send('GET', target)
      // A plain fetch sees what the URL parser left: `/v2/secret`, which is then what is authorised, and refused.
      expect([400, 403, 404]).toContain(answer.status)
      if (doorName === 'socket' && target !== '/v2/secret/manifests/latest') expect(answer.status).toBe(400)
    }
  })

  it('does not echo what it refuses as anything but JSON', async () => {
    const answer = await door.send('GET', '/v2/a/manifests/%3Cscript%3E')
    expect([answer.status, answer.header('content-type')]).toEqual([400, 'application/json'])
  })

  it('asks authorize for every operation, before anything is touched', async () => {
    const asked: string[] = []
    await using closed = await open({
      access: {
        authorize: (_, action, { repository, tag }) => {
          asked.push([action, repository, tag].filter((part) => part !== undefined).join(' '))
          return { allow: false, challenge: 'Basic realm="test"' }
        },
      },
    })
    const digest = sample.sha256(Buffer.from(''))
    const id = '00000000-0000-4000-8000-000000000000'
    const calls: [string, string, string][] = [
      ['GET', '/v2/', 'ping'],
      ['GET', '/v2/_catalog', 'list'],
      ['GET', '/v2/a/tags/list', 'pull a'],
      ['GET', '/v2/a/manifests/t', 'pull a t'],
      ['HEAD', `/v2/a/manifests/${digest}`, 'pull a'],
      ['PUT', '/v2/a/manifests/t', 'push a t'],
      ['DELETE', '/v2/a/manifests/t', 'delete a t'],
      ['GET', `/v2/a/blobs/${digest}`, 'pull a'],
      ['HEAD', `/v2/a/blobs/${digest}`, 'pull a'],
      ['DELETE', `/v2/a/blobs/${digest}`, 'delete a'],
      ['POST', '/v2/a/blobs/uploads/', 'push a'],
      ['GET', `/v2/a/blobs/uploads/${id}`, 'push a'],
      ['PATCH', `/v2/a/blobs/uploads/${id}`, 'push a'],
      ['PUT', `/v2/a/blobs/uploads/${id}?digest=${digest}`, 'push a'],
      ['DELETE', `/v2/a/blobs/uploads/${id}`, 'push a'],
      ['GET', `/v2/a/referrers/${digest}`, 'pull a'],
    ]
    for (const [method, target, expected] of calls) {
      asked.length = 0
      const answer = await closed.send(method, target)
      expect([answer.status, answer.header('www-authenticate'), asked]).toEqual([401, 'Basic realm="test"', [expected]])
    }
  })

  it('mounts only from a repository that the caller may pull from', async () => {
    await using guarded = await open({
      access: {
        authorize: (_, action, { repository }) => ({ allow: action !== 'pull' || repository !== 'secret' }),
        visible: () => ({ kind: 'any-of', globs: ['open', 'open/*'] }),
      },
    })
    const bytes = Buffer.from('hidden')
    const digest = await sample.pushBlob(guarded, 'secret', bytes)
    for (const query of [`mount=${digest}&from=secret`, `mount=${digest}`]) {
      expect((await guarded.send('POST', `/v2/open/blobs/uploads/?${query}`)).status).toBe(202)
      expect((await guarded.send('HEAD', `/v2/open/blobs/${digest}`)).status).toBe(404)
    }
    await sample.pushBlob(guarded, 'open/x', bytes)
    expect((await guarded.send('POST', `/v2/open/blobs/uploads/?mount=${digest}`)).status).toBe(201)
    expect((await guarded.send('GET', '/v2/_catalog')).json()).toEqual({ repositories: ['open', 'open/x'] })
  })

  it('refuses to move a tag when the grant says so', async () => {
    await using guarded = await open({ access: { authorize: () => ({ allow: true, overwriteTags: false }) } })
    await sample.pushImage(guarded, 'a', 'v1', sample.image('first'))
    await sample.pushImage(guarded, 'a', 'v1', sample.image('first'))
    await expect(sample.pushImage(guarded, 'a', 'v1', sample.image('second'))).rejects.toThrow('403')
  })

  it('has CORS only when asked to', async () => {
    const origin = 'https://app.example'
    const plain = await door.send('GET', '/v2/', { headers: { origin } })
    expect(plain.header('access-control-allow-origin')).toBeNull()
    await using open1 = await open({ cors: { origins: [origin] } })
    const allowed = await open1.send('GET', '/v2/', { headers: { origin } })
    expect(allowed.header('access-control-allow-origin')).toBe(origin)
    expect(allowed.header('vary')).toBe('Origin')
    expect(allowed.header('access-control-expose-headers')).toContain('Docker-Content-Digest')
    for (const other of ['https://evil-app.example', 'https://app.example:444', 'null']) {
      const refused = await open1.send('GET', '/v2/', { headers: { origin: other } })
      expect(refused.header('access-control-allow-origin')).toBeNull()
    }
    // As a program without types writes it.
    await using open2 = await open({ cors: { origins: origin as unknown as string[] } })
    for (const [other, expected] of [
      ['https://app.exampl', null],
      ['s', null],
      [origin, origin],
    ] as const) {
      const answer = await open2.send('GET', '/v2/', { headers: { origin: other } })
      expect(answer.header('access-control-allow-origin')).toBe(expected)
    }
    const preflight = await open1.send('OPTIONS', '/v2/a/blobs/uploads/', {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })
    expect([preflight.status, preflight.header('access-control-allow-headers')]).toEqual([204, 'authorization'])
    expect(preflight.header('access-control-allow-methods')).toContain('PATCH')
  })

  it('hides what went wrong inside', async () => {
    await using broken = await open({
      access: {
        authorize: () => {
          throw new Error('the password of the database is hunter2')
        },
      },
    })
    const answer = await broken.send('GET', '/v2/')
    expect(answer.status).toBe(500)
    expect(answer.text()).not.toContain('hunter2')
  })
})

describe('the table of routes', () => {
  it('declares an action everywhere, or stops the start', () => {
    expect(() => assertDeclared(routes)).not.toThrow()
    const handle = (): undefined => undefined
    const stopped = (route: { scope?: string; operations: object }, message: string): void =>
      expect(() => assertDeclared({ blob: route })).toThrow(message)
    const declared = 'GET /v2/<name>/blobs/<digest> declares no action of its scope'
    stopped({ scope: 'repository', operations: { GET: { handle } } }, declared)
    stopped({ scope: 'repository', operations: { GET: { action: 'read', handle } } }, declared)
    // Nobody would ask about a repository whose name is not looked at.
    stopped({ scope: 'registry', operations: { GET: { action: 'pull', handle } } }, declared)
    // What is open to everybody is said twice, so that no slip of one word opens anything.
    stopped({ scope: 'repository', operations: { GET: { action: 'open', handle } } }, declared)
    stopped({ scope: 'open', operations: { GET: { action: 'pull', handle } } }, declared)
    stopped({ operations: { GET: { action: 'pull', handle } } }, '/v2/<name>/blobs/<digest> declares no scope')
    stopped({ scope: 'constructor', operations: {} }, 'declares no scope')
  })

  it('is open at the token endpoint alone', () => {
    const open = Object.entries(routes).filter(([, { scope }]) => scope === 'open')
    expect(open.map(([id]) => id)).toEqual(['token'])
  })
})

describe('the table of faults', () => {
  it('has no 5xx that input can cause', () => {
    const serverFaults = Object.entries(faults).filter(([, { status }]) => status >= 500)
    expect(serverFaults.map(([fault]) => fault).toSorted()).toEqual(['body-consumed', 'overloaded', 'storage-full'])
    expect(new RegistryError('denied', 'x').fault).toBe('denied')
  })
})
