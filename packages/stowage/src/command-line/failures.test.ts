import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  type Behaviour,
  fail,
  flipByte,
  hang,
  loseRequest,
  type MisbehavingRegistry,
  startMisbehavingRegistry,
  warn,
  selfSigned,
} from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { pushImage, sampleImage } from '../testing/sample-image.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const image = sampleImage('one')

const serve = async (): Promise<MisbehavingRegistry> => {
  const registry = await startMisbehavingRegistry()
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  await pushImage(registry.url, 'app', image, 'v1')
  return registry
}

const failing = async (behaviour: Behaviour, command = 'manifest', options: readonly string[] = []) => {
  const registry = await serve()
  registry.on({ path: /manifests|tags/ }, behaviour)
  const result = await stowage([command, `${registry.host}/app:v1`, '--retries', '0', ...options])
  expect(result.stdout).toBe('')
  expect(result.stderr).not.toContain('    at ')
  return { registry, ...result }
}

describe('exit codes', () => {
  test('not found is 3, in the words of the registry', async () => {
    const registry = await serve()
    const result = await stowage(['manifest', `${registry.host}/app:v2`])
    expect(result).toMatchObject({ code: 3, stdout: '' })
    expect(result.stderr).toMatch(
      new RegExp(
        String.raw`^stowage: ${registry.host}/app:v2: \S+ answered 404 \(MANIFEST_UNKNOWN: .+\)\n {2}Check the name.*\n$`,
      ),
    )
  })

  test('not logged in is 4, with the command that logs in', async () => {
    const { code, stderr, registry } = await failing(fail(401, { message: 'who are you?' }))
    expect(code).toBe(4)
    expect(stderr).toContain('UNAUTHORIZED: who are you?')
    expect(stderr).toContain(`\n  Log in with: stowage login ${registry.host}\n`)
  })

  test('denied is 5', async () => {
    const { code, stderr } = await failing(fail(403, { message: 'not you' }))
    expect(code).toBe(5)
    expect(stderr).toContain('DENIED: not you')
  })

  test('rate-limited is 6, and says when to try again', async () => {
    const { code, stderr } = await failing(fail(429, { retryAfter: 7, message: 'slow down' }))
    expect(code).toBe(6)
    expect(stderr).toMatch(/TOOMANYREQUESTS: slow down.*\n {2}The registry says to try again in 7 seconds/)
  })

  test('a wrong digest is 7', async () => {
    const { code } = await failing(flipByte(20))
    expect(code).toBe(7)
  })

  test('no connection is 8, and one on which nothing comes', async () => {
    expect(await failing(loseRequest())).toMatchObject({ code: 8 })
    expect(await failing(hang(), 'manifest', ['--timeout', '50ms'])).toMatchObject({ code: 8 })
    const gone = await serve()
    await gone[Symbol.asyncDispose]()
    const refused = await stowage(['ls', `${gone.host}/app`, '--retries', '0'])
    expect(refused).toMatchObject({ code: 8, stdout: '' })
    expect(refused.stderr).toMatch(/ECONNREFUSED/)
  })

  test('any other failure is 1', async () => {
    expect(await failing(fail(500))).toMatchObject({ code: 1 })
    expect(await failing(fail(400))).toMatchObject({ code: 1 })
    const registry = await serve()
    const html = createServer((_request, response) => response.end('<h1>hello</h1>'))
    await new Promise<void>((resolve) => html.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      html.close().closeAllConnections()
    })
    const { port } = html.address() as AddressInfo
    expect(await stowage(['ls', `127.0.0.1:${port}/app`])).toMatchObject({ code: 1, stdout: '' })
    expect(await stowage(['manifest', 'put', `${registry.host}/app:v3`], { stdin: '{' })).toMatchObject({ code: 1 })
    expect(await stowage(['manifest', `${registry.host}/app:v1`, '-o', '/no/such/place'])).toMatchObject({ code: 1 })
  })

  test.each([
    ['ls', /Missing required argument 'repository'/],
    ['ls a b', /Too many arguments/],
    ['ls UPPER/case:', /"UPPER\/case:" is not a reference\. .*tag/],
    ['ls a --format yaml', /--format must be text, json or a template/],
    ['ls a --format {{.X', /without \}\}/],
    ['ls a --limit many', /--limit must be a whole number/],
    ['ls a --ca-file /no/such', /--ca-file \/no\/such cannot be read/],
    ['ls a --cert-file x', /both --cert-file and --key-file/],
    ['digest a --platform linux', /is not a platform/],
    ['ping myhost', /"myhost" is not a registry/],
    ['ping ghcr.io/acme', /something in one/],
    ['manifest gett a', /Did you mean stowage manifest get\?/],
    ['auth lgin', /Did you mean stowage auth login\?/],
    ['completion powershell', /bash, zsh, fish/],
  ])('%s is 64: a wrong command line', async (line, reason) => {
    const result = await stowage(line.split(' '))
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toMatch(/^stowage: /)
    expect(result.stderr).toMatch(reason)
    expect(result.stderr).not.toContain('    at ')
  })

  test('stopped is 130, and says how to go on', async () => {
    const registry = await serve()
    registry.on({ path: /manifests/ }, hang())
    const abort = new AbortController()
    const running = stowage(['manifest', `${registry.host}/app:v1`], { signal: abort.signal })
    await expect.poll(() => registry.seen({ path: /manifests/ }).length).toBe(1)
    abort.abort()
    expect(await running).toEqual(
      expect.objectContaining({
        code: 130,
        stdout: '',
        stderr: 'stowage: Stopped. Run the same command again to go on.\n',
      }),
    )
  })
})

describe('what is said besides', () => {
  test('retries are told, and --quiet does not tell them', async () => {
    for (const [quiet, expected] of [
      [[], /^trying again: .*503/],
      [['--quiet'], /^$/],
    ] as const) {
      const registry = await serve()
      registry.on({ path: /tags/ }, fail(503, { retryAfter: 0 }), { times: 1 })
      const result = await stowage(['ls', `${registry.host}/app`, ...quiet])
      expect(result).toMatchObject({ code: 0, stdout: 'v1\n' })
      expect(result.stderr).toMatch(expected)
    }
  })

  test('warnings of the registry are told', async () => {
    const registry = await serve()
    registry.on({ path: /tags/ }, warn('this will go away\u009b2J'))
    const result = await stowage(['ls', `${registry.host}/app`])
    expect(result.stderr).toMatch(new RegExp(`^warning from ${registry.host}: this will go away`))
    expect(result.stderr).not.toContain('\u009b')
  })

  test('--debug shows each request, and no secret', async () => {
    const registry = await startMisbehavingRegistry({ auth: { scheme: 'basic', users: { me: 'geheim' } } })
    onTestFinished(async () => registry[Symbol.asyncDispose]())
    const result = await stowage(['ls', `${registry.host}/app`, '-d', '-u', 'me', '-p', 'geheim'])
    expect(result).toMatchObject({ code: 3, stdout: '' })
    expect(result.stderr).toMatch(new RegExp(String.raw`^GET ${registry.url}/v2/app/tags/list 404 \d+ ms$`, 'm'))
    expect(result.stderr).not.toMatch(/geheim|Authorization|Basic/i)
  })
})

describe('how registries are spoken to', () => {
  const overTls = async () => {
    const directory = await temporaryDirectory()
    const { cert, key } = selfSigned()
    const seen: string[] = []
    const server = createTlsServer({ cert, key }, (request, response) => {
      seen.push(`${request.method} ${request.url}`)
      response.setHeader('content-type', 'application/json').end('{"name":"app","tags":["v1"]}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      server.close().closeAllConnections()
      await directory[Symbol.asyncDispose]()
    })
    const ca = join(directory.path, 'ca.pem')
    writeFileSync(ca, cert)
    return { app: `127.0.0.1:${(server.address() as AddressInfo).port}/app`, ca, seen }
  }

  test('on this machine by plain HTTP, unless TLS is said in any way', async () => {
    const { app, ca, seen } = await overTls()
    const options = ['--retries', '0']
    expect(await stowage(['ls', app, ...options])).toMatchObject({ code: 8 })
    const untrusted = await stowage(['ls', app, '--no-plain-http', ...options])
    expect(untrusted).toMatchObject({ code: 8 })
    expect(untrusted.stderr).toContain('--ca-file')
    expect(await stowage(['ls', `https://${app}`, ...options])).toMatchObject({ code: 8 })
    expect(seen).toEqual([])
    for (const tls of [['--insecure'], ['--ca-file', ca], ['--tls-verify=false']]) {
      expect(await stowage(['ls', app, ...tls, ...options])).toMatchObject({ code: 0, stdout: 'v1\n' })
    }
  })

  test('--tls-verify=false goes back to plain HTTP on this machine, as with skopeo', async () => {
    const registry = await serve()
    const { app } = await overTls()
    for (const place of [`${registry.host}/app`, `http://${registry.host}/app`, app, `https://${app}`]) {
      const result = await stowage(['ls', place, '--tls-verify=false', '--retries', '0'])
      expect(result).toMatchObject({ code: 0, stdout: 'v1\n' })
    }
    const insisting = [`https://${registry.host}/app`, '--tls-verify=false', '--retries', '0']
    expect(await stowage(['ls', ...insisting])).toMatchObject({ code: 8 })
    const from = await stowage([
      'cp',
      `${registry.host}/app:v1`,
      'memory:x',
      '--src-tls-verify=false',
      '--retries',
      '0',
    ])
    expect(from).toMatchObject({ code: 0 })
  })

  test('--no-plain-http against plain HTTP says what to do', async () => {
    const registry = await serve()
    for (const place of [`${registry.host}/app`, `https://${registry.host}/app`]) {
      const options = place.startsWith('https') ? [] : ['--no-plain-http']
      const result = await stowage(['ls', place, '--retries', '0', ...options])
      expect(result).toMatchObject({ code: 8 })
      expect(result.stderr).toContain('--plain-http')
    }
    expect(await stowage(['ls', `http://${registry.host}/app`])).toMatchObject({ code: 0 })
    expect(await stowage(['ls', `${registry.host}/app`, '--plain-http'])).toMatchObject({ code: 0 })
  })
})
