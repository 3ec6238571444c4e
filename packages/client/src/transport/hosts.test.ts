import { describe, expect, it, test } from 'vitest'
import { ClientError } from '../errors.ts'
import { checkHosts } from './check-hosts.ts'
import { canonicalRegistry, type Hosts, resolveHost } from './hosts.ts'

const problemOf = (hosts: unknown): string => {
  try {
    checkHosts(hosts as Hosts)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ code: 'usage' })
    return (error as Error).message
  }
}

describe('options of a host', () => {
  it('takes every one there is', () => {
    const all = {
      plainHttp: true,
      endpoint: 'https://registry.example:5000/sub/',
      mirrors: ['mirror.example', 'mirror.example:5000/pre/fix', 'localhost'],
      concurrency: 1,
      retry: { attempts: 1, maxDelay: 0 },
      timeouts: { idle: 1, answer: 2 ** 31 - 1 },
      headers: { 'x-a': 'b', Cookie: 'a=b' },
      tokenServers: ['auth.example', 'auth.example:5001', '127.0.0.1:80', '[::1]:5000'],
      referrers: 'tag',
      uploads: { chunkSize: 1, singlePostUpTo: 0 },
    }
    expect(problemOf({ '*': all, 'ghcr.io': {}, 'localhost:5000': all, '[::1]:5000': {}, localhost: {} })).toBe('')
  })

  test.each<[object, string]>([
    [{ plainHTTP: true }, '.plainHTTP is not an option; there are plainHttp, endpoint'],
    [{ retry: { tries: 1 } }, '.retry.tries is not an option; there are attempts, maxDelay'],
    [{ timeouts: { connect: 1 } }, '.timeouts.connect is not an option; there are idle, answer'],
    [{ uploads: { size: 1 } }, '.uploads.size is not an option; there are chunkSize, singlePostUpTo'],
    [{ plainHttp: 'yes' }, '.plainHttp must be true or false'],
    [{ endpoint: 'registry.example' }, '.endpoint must be an http or https URL'],
    [{ endpoint: 'ftp://registry.example' }, '.endpoint must be an http or https URL'],
    [{ endpoint: 'https://registry.example?a' }, '.endpoint must be an http or https URL'],
    [{ endpoint: 'https://u@registry.example' }, '.endpoint must be an http or https URL'],
    [{ endpoint: 'https://:p@registry.example' }, '.endpoint must be an http or https URL'],
    [{ endpoint: 5 }, '.endpoint must be an http or https URL'],
    [{ mirrors: 'mirror.example' }, '.mirrors must be a list'],
    [{ mirrors: ['mirror.example', 'https://mirror.example'] }, '.mirrors[1] must be a registry'],
    [{ mirrors: ['mirror'] }, '.mirrors[0] must be a registry'],
    [{ mirrors: ['mirror.example/UP'] }, '.mirrors[0] must be a registry'],
    [{ mirrors: ['mirror.example/a:v1'] }, '.mirrors[0] must be a registry'],
    [{ mirrors: [5] }, '.mirrors[0] must be a registry'],
    [{ concurrency: 0 }, '.concurrency must be a whole number of 1 or more'],
    [{ concurrency: 1.5 }, '.concurrency must be a whole number of 1 or more'],
    [{ concurrency: '8' }, '.concurrency must be a whole number of 1 or more'],
    [{ concurrency: null }, '.concurrency must be a whole number of 1 or more'],
    [{ retry: { attempts: 0 } }, '.retry.attempts must be a whole number of 1 or more'],
    [{ retry: { maxDelay: -1 } }, '.retry.maxDelay must be a whole number of 0 or more'],
    [
      { retry: { maxDelay: 2 ** 31 } },
      '.retry.maxDelay must be a whole number of 0 or more, and of 2147483647 at most',
    ],
    [{ retry: null }, '.retry must be an object'],
    [{ timeouts: 5 }, '.timeouts must be an object'],
    [{ timeouts: { idle: 0 } }, '.timeouts.idle must be a whole number of 1 or more'],
    [{ timeouts: { idle: Number.MAX_SAFE_INTEGER } }, '.timeouts.idle must be a whole number of 1 or more, and of'],
    [{ timeouts: { answer: Number.NaN } }, '.timeouts.answer must be a whole number of 1 or more'],
    [{ headers: ['a'] }, '.headers must be an object'],
    [{ headers: { 'a b': 'c' } }, '.headers["a b"] is no header'],
    [{ headers: { a: 5 } }, '.headers["a"] must be a string'],
    [{ endpoint: 'https://a.example/#' }, '.endpoint must be'],
    [{ endpoint: 'https://a.example/?' }, '.endpoint must be'],
    [{ tokenServers: 'auth.example' }, '.tokenServers must be a list'],
    [{ tokenServers: ['https://auth.example'] }, '.tokenServers[0] must be a host'],
    [{ tokenServers: ['auth.example/token'] }, '.tokenServers[0] must be a host'],
    [{ tokenServers: ['auth.example:443'] }, '.tokenServers[0] must be a host'],
    [{ referrers: 'no' }, '.referrers must be "auto", "api" or "tag"'],
    [{ uploads: { chunkSize: 0 } }, '.uploads.chunkSize must be a whole number of 1 or more'],
    [{ uploads: { singlePostUpTo: -1 } }, '.uploads.singlePostUpTo must be a whole number of 0 or more'],
  ])('%j', (options, problem) => {
    expect(problemOf({ 'a.example': options })).toContain(`hosts["a.example"]${problem}`)
  })

  it('names every problem at once', () => {
    const message = problemOf({ 'a.example': { concurrency: 0, what: 1 }, '*': { referrers: 1 } })
    expect(message).toContain('.what is not')
    expect(message).toContain('.concurrency must')
    expect(message).toContain('hosts["*"].referrers')
  })

  it('takes a registry under one of its names only', () => {
    const hub = { 'docker.io': {}, 'index.docker.io': {} }
    expect(problemOf(hub)).toContain('hosts["index.docker.io"] is the registry of hosts["docker.io"] again')
    expect(problemOf({ 'a.example': {}, 'A.example': {} })).toContain('is the registry of hosts["a.example"] again')
  })

  it('says no secret', () => {
    expect(problemOf({ 'a.example': { headers: { 'x-key': 'se\ncret' } } })).not.toMatch(/se\s*cret/)
  })

  test.each(['https://a.example', 'a', 'a.example/b', 'a.example:', ''])('%j is no registry', (name) => {
    expect(problemOf({ [name]: {} })).toContain('is not the name of a registry')
  })

  test.each([null, 5, 'a', ['a']])('hosts cannot be %j', (hosts) => {
    expect(problemOf(hosts)).toContain('hosts must be an object')
    expect(problemOf({ 'a.example': hosts })).toContain('must be an object')
  })
})

describe('a host with every default in', () => {
  it('is itself, by https', () => {
    expect(resolveHost('a.example:5000', {})).toEqual({
      registry: 'a.example:5000',
      endpoint: 'https://a.example:5000',
      mirrors: [],
      concurrency: 8,
      attempts: 5,
      maxDelay: 60_000,
      idleTimeout: 60_000,
      answerTimeout: 300_000,
      headers: {},
      tokenServers: [],
      referrers: 'auto',
      chunkSize: undefined,
      singlePostUpTo: 1024 * 1024,
    })
  })

  it('speaks plain HTTP where it is said, and nowhere else', () => {
    expect(resolveHost('localhost:5000', {}).endpoint).toBe('https://localhost:5000')
    expect(resolveHost('localhost:5000', { plainHttp: true }).endpoint).toBe('http://localhost:5000')
  })

  it('has an endpoint without slash at the end', () => {
    expect(resolveHost('a.example', { endpoint: 'https://b.example//' }).endpoint).toBe('https://b.example')
    expect(resolveHost('a.example', { endpoint: 'https://b.example/sub/' }).endpoint).toBe('https://b.example/sub')
  })

  it('knows the names of Docker Hub', () => {
    expect(resolveHost('docker.io', {}).endpoint).toBe('https://registry-1.docker.io')
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      expect(canonicalRegistry(name)).toBe('docker.io')
    }
    expect(canonicalRegistry('auth.docker.io')).toBe('auth.docker.io')
  })

  it('takes mirrors apart', () => {
    expect(resolveHost('a.example', { mirrors: ['m.example', 'index.docker.io/pre/fix'] }).mirrors).toEqual([
      { registry: 'm.example', prefix: '' },
      { registry: 'docker.io', prefix: 'pre/fix/' },
    ])
  })
})
