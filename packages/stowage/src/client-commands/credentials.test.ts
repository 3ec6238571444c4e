import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, runClientCommand } from '../testing/client-command.ts'
import { temporaryDirectory } from '../testing/temporary-directory.ts'

const setUp = async (scheme: 'basic' | 'bearer' | 'open' = 'basic') => {
  const directory = await temporaryDirectory()
  const auth = scheme === 'open' ? {} : { auth: { scheme, users: { me: 'pa:ss', you: 'other' } } }
  const registry = await startMisbehavingRegistry(auth)
  onTestFinished(async () => {
    await registry[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  const environment = { HOME: directory.path, XDG_RUNTIME_DIR: join(directory.path, 'run') }
  const printed: string[] = []
  const stowage = async (argv: readonly string[], options: ClientOptions = {}) => {
    const result = await runClientCommand(argv, { ...options, environment: { ...environment, ...options.environment } })
    printed.push(result.stdout, result.stderr)
    return result
  }
  /** Whatever happens, nobody sees it. */
  onTestFinished(() => expect(printed.join('')).not.toMatch(/pa:ss|bWU6cGE6c3M=/))
  const config = join(directory.path, '.docker/config.json')
  return { registry, stowage, config, at: (name: string) => join(directory.path, name) }
}

describe('stowage login', () => {
  test.each(['basic', 'bearer'] as const)('keeps what the registry accepts: %s', async (scheme) => {
    const { registry, stowage, config } = await setUp(scheme)
    const { host } = registry
    const result = await stowage(['login', host, '-u', 'me', '--password-stdin'], { stdin: 'pa:ss\n' })
    expect(result).toMatchObject({ code: 0, stdout: `Logged in to ${host} as me.\n` })
    expect(result.stderr).toContain(`The credentials are in ${config}, not encrypted.`)
    expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({
      auths: { [host]: { auth: Buffer.from('me:pa:ss').toString('base64') } },
    })
    expect(statSync(config).mode & 0o777).toBe(0o600)
    // It lets in, and has no such repository.
    expect(await stowage(['ls', `${host}/app`])).toMatchObject({ code: 3 })
    expect(await stowage(['whoami', host])).toMatchObject({ code: 0, stdout: 'me\n' })
    expect((await stowage(['whoami'])).stdout).toBe(`${host}  me  ${config}\n`)
    expect(await stowage(['logout', host])).toMatchObject({ code: 0, stdout: `Logged out of ${host}.\n` })
    expect(await stowage(['ls', `${host}/app`])).toMatchObject({ code: 4 })
    expect(await stowage(['logout', host])).toMatchObject({ code: 0, stdout: `You were not logged in to ${host}.\n` })
  })

  test('says that a file is not encrypted, however its path is written', async () => {
    const { registry, stowage } = await setUp()
    const file = `.stowage-test-${process.pid}.json`
    onTestFinished(() => rmSync(file, { force: true }))
    const { stderr } = await stowage(
      ['login', registry.host, '-u', 'me', '--password-stdin', '--registry-config', file],
      { stdin: 'pa:ss' },
    )
    expect(stderr).toContain(`The credentials are in ${file}, not encrypted.`)
  })

  test('keeps nothing that the registry refuses, unless it is not asked', async () => {
    const { registry, stowage, config } = await setUp()
    const refused = await stowage(['login', registry.host, '-u', 'me', '--password-stdin'], { stdin: 'wrong' })
    expect(refused).toMatchObject({ code: 4, stdout: '' })
    expect(refused.stderr).toContain('Nothing was kept.')
    expect(existsSync(config)).toBe(false)
    registry.forget()
    const unasked = await stowage(['login', registry.host, '-u', 'me', '--password-stdin', '--no-verify', '--json'], {
      stdin: 'wrong',
    })
    expect(JSON.parse(unasked.stdout)).toEqual({
      registry: registry.host,
      username: 'me',
      verified: false,
      place: config,
    })
    expect(registry.requests).toEqual([])
  })

  test('warns of a password that others can see', async () => {
    const { registry, stowage } = await setUp()
    const result = await stowage(['auth', 'login', registry.host, '-u', 'you', '-p', 'other'])
    expect(result.code).toBe(0)
    expect(result.stderr).toMatch(/^warning: others on this machine can see a password.*--password-stdin/)
  })

  test('warns when nobody looked at the credentials', async () => {
    const { registry, stowage } = await setUp('open')
    const result = await stowage(['login', registry.host, '-u', 'me', '--password-stdin', '--json'], { stdin: 'x' })
    expect(JSON.parse(result.stdout)).toMatchObject({ verified: false })
    expect(result.stderr).toContain('let everyone in without a look')
  })

  test('asks on a terminal, and never shows the password', async () => {
    const { registry, stowage } = await setUp()
    const result = await stowage(['login', registry.host], { keys: ['me', '\r', 'pa:ss', '\r'] })
    expect(result).toMatchObject({ code: 0, stdout: `Logged in to ${registry.host} as me.\n` })
    expect(result.stderr).toContain('Password of me')
  })

  test('says what a script should do when there is nobody to ask', async () => {
    const { registry, stowage } = await setUp()
    const result = await stowage(['login', registry.host])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toContain(`stowage login ${registry.host} --username NAME --password-stdin < FILE`)
    expect(await stowage(['login', registry.host, '-u', 'me', '--no-tty'], { keys: [] })).toMatchObject({ code: 64 })
  })

  test.each([
    ['-u me -p x --password-stdin', /more than one password/],
    ['-p x', /Give --username too/],
    ['--password-stdin', /Give --username too/],
    ['-u me --identity-token x', /leave out --username/],
    ['-u me --password-stdin', /The password is empty/],
    ['--creds nobody', /--creds must be name:password/],
  ])('%s is refused', async (options, reason) => {
    const { registry, stowage } = await setUp()
    const result = await stowage(['login', registry.host, ...options.split(' ')])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toMatch(reason)
    expect(registry.requests).toEqual([])
  })

  test('a namespace has credentials of its own, in a file of its own', async () => {
    const { registry, stowage, at } = await setUp()
    const { host } = registry
    const login = ['login', `${host}/acme`, '-u', 'me', '--password-stdin', '--registry-config', at('auth.json')]
    expect(await stowage(login, { stdin: 'pa:ss' })).toMatchObject({ code: 0 })
    expect(Object.keys(JSON.parse(readFileSync(at('auth.json'), 'utf8')).auths)).toEqual([`${host}/acme`])
    const whoami = async (place: string) => stowage(['whoami', place, '--registry-config', at('auth.json')])
    expect(await whoami(`${host}/acme/app`)).toMatchObject({ code: 0, stdout: 'me\n' })
    expect(await whoami(`${host}/other`)).toMatchObject({ code: 4, stdout: '' })
    expect((await stowage(['whoami', '--registry-config', at('auth.json'), '--json'])).stdout).toContain(
      '"username": "me"',
    )
    expect(await stowage(['logout', `${host}/acme`, '--authfile', at('auth.json')])).toMatchObject({ code: 0 })
  })
})

describe('credentials of one command', () => {
  test('are shown to the registry that it names, and to no other', async () => {
    const { registry, stowage, at } = await setUp('bearer')
    const app = `${registry.host}/app`
    for (const options of [
      ['-u', 'me', '-p', 'pa:ss'],
      ['--creds', 'me:pa:ss'],
    ]) {
      expect(await stowage(['ls', app, ...options])).toMatchObject({ code: 3 })
    }
    const piped = await stowage(['ls', app, '--username', 'me', '--password-stdin'], { stdin: 'pa:ss\n' })
    expect(piped).toMatchObject({ code: 3 })
    writeFileSync(
      at('config.json'),
      JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from('me:pa:ss').toString('base64') } } }),
    )
    expect(await stowage(['ls', app, '--registry-config', at('config.json')])).toMatchObject({ code: 3 })
    const missing = await stowage(['ls', app, '--registry-config', at('missing.json')])
    expect(missing).toMatchObject({ code: 4, stdout: '' })
    expect(missing.stderr).toMatch(/^warning: There is no file .*missing\.json with credentials\.\n/)
    const environment = { DOCKER_AUTH_CONFIG: readFileSync(at('config.json'), 'utf8') }
    expect(await stowage(['ls', app], { environment })).toMatchObject({ code: 3 })
    expect(await stowage(['ls', app, '-u', 'me', '-p', 'wrong'], { environment })).toMatchObject({ code: 4 })
    expect(registry.leaks).toEqual([])
  })

  test('go to another token server only where it is named', async () => {
    await using registry = await startMisbehavingRegistry({
      auth: { scheme: 'bearer', users: { me: 'secret' }, realm: 'trap' },
    })
    const argv = ['ls', `${registry.host}/app`, '-u', 'me', '-p', 'secret']
    const refused = await runClientCommand(argv)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      /were not sent\.\n {2}If 127\.0\.0\.1:\d+ is the token server of .*, allow it: --token-server/,
    )
    expect(registry.leaks).toEqual([])
    expect(await runClientCommand([...argv, '--token-server', registry.trap.host])).toMatchObject({ code: 3 })
  })
})
