import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CommandOptions, run, start } from './testing/command.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

const scratch = async (): Promise<string> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  return directory.path
}

const serveIn = (
  cwd: string,
  args: readonly string[] = ['0'],
  options: CommandOptions = {},
): ReturnType<typeof start> => start(['serve', ...args], { cwd, ...options })

describe('who may use what stowage serve serves', () => {
  test('with auth it greets with how to make the first user, and how to log in', async () => {
    const cwd = await scratch()
    await using command = serveIn(cwd, ['0', '--auth', '--data', 'store'])
    const url = await command.serving()
    const { host } = new URL(url)
    expect(command.stdout()).toContain(
      `\n  There is no user yet. Make the first one with: stowage user add admin --administrator --data ${join(cwd, 'store')}\n`,
    )
    expect(command.stdout()).toContain(`\n    docker login ${host}\n    docker pull hello-world\n`)
    const add = ['user', 'add', 'admin', '--administrator', '--data', 'store']
    // A person is asked; here there is none.
    expect(await run(add, { cwd })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--password-stdin') as string,
    })
    expect(await run([...add, '--no-password'], { cwd })).toMatchObject({ code: 0, stdout: 'Added admin.\n' })
    const token = await run(['token', 'add', 'admin', '--label', 'test', '--data', 'store'], { cwd })
    const authorization = `Basic ${Buffer.from(`admin:${token.stdout.trim()}`).toString('base64')}`
    expect((await fetch(`${url}/v2/`, { headers: { authorization } })).status).toBe(200)
    expect((await fetch(`${url}/v2/`)).status).toBe(401)
  })

  test.each([
    ['yes', 200],
    ['1', 200],
    ['no', 401],
    ['0', 401],
  ])('DISABLE_AUTHENTICATION=%s: /v2/ is answered with %d', async (text, status) => {
    await using command = serveIn(await scratch(), ['0'], { env: { DISABLE_AUTHENTICATION: text } })
    expect((await fetch(`${await command.serving()}/v2/`)).status).toBe(status)
    if (status === 200) expect(command.stderr()).toMatch(/"level":"warn".*auth is off: everyone/)
  })

  test('two places that contradict each other stop the start', async () => {
    const cwd = await scratch()
    writeFileSync(join(cwd, 'stowage.yaml'), 'auth: on\n')
    const args = ['serve', '0', '--config', 'stowage.yaml']
    const result = await run(args, { cwd, env: { DISABLE_AUTHENTICATION: 'yes' } })
    expect(result).toMatchObject({
      code: 78,
      stdout: '',
      stderr:
        'stowage: DISABLE_AUTHENTICATION: says that auth is off, but stowage.yaml:1 says that it is on. ' +
        'Change one of them: none goes before the other.\n',
    })
    expect(await run([...args, '--no-auth'], { cwd })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^stowage: --no-auth: .* stowage\.yaml:1 says that it is on/) as string,
    })
    for (const flags of [
      ['--auth', '--no-auth'],
      ['--no-auth', '--auth'],
    ]) {
      expect(await run(['serve', '0', ...flags], { cwd })).toMatchObject({
        code: 64,
        stderr: 'stowage: --auth and --no-auth contradict each other. See stowage serve --help.\n',
      })
    }
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('rules that nobody would hold stop the start', async () => {
    const cwd = await scratch()
    const env = { STOWAGE_ACCESS_RULES: '[{"subject":"anonymous","repositories":"*","actions":["pull"]}]' }
    expect(await run(['serve', '0'], { cwd, env })).toMatchObject({
      code: 78,
      stderr:
        'stowage: STOWAGE_ACCESS_RULES: access.rules does nothing while auth is not on, for nobody is asked who they are. ' +
        'Turn auth on, or leave it away.\n',
    })
  })

  test('what is wrong with the files of access is one clear line', async () => {
    const cwd = await scratch()
    writeFileSync(join(cwd, 'users'), 'ada:hunter2hunter2\n')
    const users = await run(['serve', '0', '--auth', '--access-htpasswd', 'users'], { cwd })
    expect(users).toMatchObject({ code: 78, stdout: '' })
    expect(users.stderr).toMatch(/^stowage: --access-htpasswd: access\.htpasswd: .* line 1 has no bcrypt hash.*\n$/)
    writeFileSync(join(cwd, 'secret'), 'x'.repeat(40))
    const secret = await run(['serve', '0', '--auth', '--access-secret-file', 'secret'], { cwd })
    expect(secret).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /^stowage: --access-secret-file: access\.secretFile: the secret .* guessed\..*\n$/,
      ) as string,
    })
    expect(users.stderr + secret.stderr).not.toMatch(/hunter2|xxxx/)
  })

  test('--check-config refuses what the start would', async () => {
    const cwd = await scratch()
    writeFileSync(join(cwd, 'users'), 'ada:hunter2hunter2\n')
    writeFileSync(join(cwd, 'weak'), 'x'.repeat(40))
    mkdirSync(join(cwd, 'store'))
    writeFileSync(join(cwd, 'store/secret.key'), 'hunter2', { mode: 0o600 })
    const server = ['--token-server-realm', 'https://auth.example/', '--token-server-issuer', 'auth']
    for (const [flags, said] of [
      [['--access-htpasswd', 'users'], /^stowage: --access-htpasswd: access\.htpasswd: .* line 1 /],
      [['--access-secret-file', 'weak'], /^stowage: --access-secret-file: access\.secretFile: .* guessed/],
      [[...server, '--token-server-jwks', 'none.json'], /^stowage: --token-server-jwks: .* it does not exist/],
      [['--data', 'store'], /^stowage: --data: .*secret\.key does not hold the secret/],
    ] as const) {
      for (const check of [['--check-config'], []]) {
        const result = await run(['serve', '0', '--auth', ...flags, ...check], { cwd })
        expect(result).toMatchObject({ code: 78, stdout: '', stderr: expect.stringMatching(said) as string })
        expect(result.stderr).not.toMatch(/hunter2|xxxx/)
      }
    }
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('--auth takes no value', async () => {
    const cwd = await scratch()
    for (const flags of [['--auth', 'off'], ['--auth=off']]) {
      expect(await run(['serve', ...flags], { cwd })).toMatchObject({
        code: 64,
        stderr: 'stowage: --auth takes no value. Write --no-auth.\n',
      })
    }
  })

  test('a user that is disabled is none who can log in', async () => {
    const cwd = await scratch()
    await run(['user', 'add', 'ada', '--no-password'], { cwd })
    await run(['user', 'disable', 'ada'], { cwd })
    await using command = serveIn(cwd, ['0', '--auth'])
    await command.serving()
    expect(command.stdout()).toContain('Every user is disabled')
  })

  test('the password of the first administrator has no flag, and is in nothing that is printed', async () => {
    const cwd = await scratch()
    for (const flag of [['--admin-password', 'canary-7f3a91'], ['--admin-password=canary-7f3a91']]) {
      const { code, stderr } = await run(['serve', ...flag], { cwd })
      expect(code).toBe(64)
      expect(stderr).toContain('--admin-password')
      expect(stderr).not.toContain('canary')
    }
    const env = { STOWAGE_ADMIN_PASSWORD: 'canary-7f3a91' }
    const checked = await run(['serve', '--check-config'], { cwd, env })
    expect(checked.stdout).toMatch(/# password: \[hidden\] +# STOWAGE_ADMIN_PASSWORD/)
    await using command = serveIn(cwd, ['0', '--auth', '--log-level', 'debug'], { env })
    const url = await command.serving()
    const authorization = `Basic ${Buffer.from('admin:canary-7f3a91').toString('base64')}`
    expect((await fetch(`${url}/v2/`, { headers: { authorization } })).status).toBe(200)
    expect(command.stdout() + command.stderr() + checked.stdout).not.toContain('canary-7f3a91')
    expect(command.stdout()).not.toContain('There is no user yet')
  })
})
