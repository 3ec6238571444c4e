import { execFile } from 'node:child_process'
import { chmod, mkdir } from 'node:fs/promises'
import { delimiter } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { createHome, type Home } from '../testing/credential-home.ts'
import type { Credential } from './credential.ts'
import { credentialHelper } from './credential-helper.ts'

let home: Home
beforeEach(async () => {
  home = await createHome()
})
afterEach(async () => home[Symbol.asyncDispose]())

const helper = (options: { timeout?: number; configuredBy?: string } = {}) =>
  credentialHelper('x', { environment: home.environment, ...options })

/** A helper that gives this answer, whatever it is asked. */
const answers = async (output: string): Promise<void> => {
  await home.write('output', output)
  await home.helper('x', `cat '${home.at('output')}'`)
}

const ada: Credential = { kind: 'password', username: 'ada', password: 'a:b "c" \\ €\n' }

it('stores, gets, lists and erases', async () => {
  const vault = await home.vault('x')
  const { program, get, store, list, erase } = helper()
  expect(program).toBe('docker-credential-x')
  expect(await get('registry.example')).toBeUndefined()
  await store('registry.example', ada)
  await store('https://index.docker.io/v1/', { kind: 'identity-token', token: 't' })
  expect(await vault.content()).toEqual({
    'registry.example': ['ada', 'a:b "c" \\ €\n'],
    'https://index.docker.io/v1/': ['<token>', 't'],
  })
  expect(await get('registry.example')).toEqual(ada)
  expect(await get('https://index.docker.io/v1/')).toEqual({ kind: 'identity-token', token: 't' })
  expect(await list()).toEqual([
    { server: 'registry.example', username: 'ada' },
    { server: 'https://index.docker.io/v1/', username: '<token>' },
  ])
  expect([await erase('registry.example'), await erase('registry.example')]).toEqual([true, false])
  expect(await get('registry.example')).toBeUndefined()
})

it('gives the program the environment, the action and the server, and no shell a chance', async () => {
  await home.helper('x', `echo "$1|$(cat)|$MARK" > '${home.at('seen')}'; echo '{"Username":"u","Secret":"s"}'`)
  const environment = { ...home.environment, MARK: '$(touch pwned)' }
  await credentialHelper('x', { environment }).get('$(touch${IFS}pwned);a.example')
  expect(await home.read('seen')).toBe('get|$(touch${IFS}pwned);a.example|$(touch pwned)\n')
})

it('has nothing when it says two empty strings', async () => {
  await answers('{"ServerURL":"","Username":"","Secret":""}')
  expect(await helper().get('registry.example')).toBeUndefined()
})

it('has nothing when it says so on stderr', async () => {
  await home.helper('x', 'echo "Error: credentials not found in native keychain (x)" >&2; exit 1')
  expect(await helper().get('registry.example')).toBeUndefined()
})

it('has an empty list when it says null', async () => {
  await answers('null\n')
  expect(await helper().list()).toEqual([])
})

it('may end without reading what it is given', async () => {
  await home.helper('x', 'exit 0')
  await helper().store('registry.example', { kind: 'identity-token', token: 'x'.repeat(500_000) })
})

describe('a name', () => {
  test.each(['', '../x', '/bin/sh', 'x y', 'x;y', 'x\n', 'x\0', 'é'])('like %j is refused', (name) => {
    expect(() => credentialHelper(name)).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(() => credentialHelper(name, { configuredBy: 'credsStore in f' })).toThrow(
      expect.objectContaining({ code: 'invalid-content', message: expect.stringContaining('credsStore in f') }),
    )
  })
})

describe('a server', () => {
  test.each(['', 'a b', 'a\nb', 'a\0'])('like %j is refused, and the program not run', async (server) => {
    await home.vault('x', { a: ['u', 's'] })
    await expect(helper().get(server)).rejects.toMatchObject({ code: 'usage' })
    await expect(helper().erase(server)).rejects.toMatchObject({ code: 'usage' })
    await expect(helper().store(server, ada)).rejects.toMatchObject({ code: 'usage' })
  })
})

describe('what cannot be stored', () => {
  test.each<[string, Credential]>([
    ['unsupported', { kind: 'registry-token', token: 't' }],
    ['usage', { kind: 'password', username: '', password: 'p' }],
    ['usage', { kind: 'password', username: '<token>', password: 'p' }],
  ])('is %s', async (code, credential) => {
    const vault = await home.vault('x')
    await expect(helper().store('registry.example', credential)).rejects.toMatchObject({ code })
    expect(await vault.calls()).toEqual([])
  })
})

describe('a program that is not installed', () => {
  const missing = {
    code: 'usage',
    message: 'docker-credential-x, named by credsStore in f, is not installed: it is in no directory of PATH.',
    hint: 'Install it, or take it out of credsStore in f.',
  }
  const get = async (environment = home.environment): Promise<unknown> =>
    credentialHelper('x', { environment, configuredBy: 'credsStore in f' }).get('registry.example')

  it('is an error that names it and what asks for it', async () => {
    await expect(get()).rejects.toMatchObject(missing)
    await expect(get({})).rejects.toMatchObject(missing)
  })

  it('is not found as a directory or without the right to run it', async () => {
    await mkdir(home.at('bin', 'docker-credential-x'), { recursive: true })
    await home.write('other/docker-credential-x', '#!/bin/sh')
    await chmod(home.at('other', 'docker-credential-x'), 0o644)
    const PATH = [home.at('bin'), home.at('other')].join(delimiter)
    await expect(get({ ...home.environment, PATH })).rejects.toMatchObject(missing)
  })

  it('is not looked for in the working directory', async () => {
    await home.vault('x', { 'registry.example': ['u', 's'] })
    const before = process.cwd()
    process.chdir(home.at('bin'))
    try {
      const PATH = ['', '.', '../bin'].join(delimiter)
      await expect(get({ ...home.environment, PATH })).rejects.toMatchObject(missing)
    } finally {
      process.chdir(before)
    }
  })
})

it('cannot be started when what is to run it is not there', async () => {
  await chmod(await home.write('bin/docker-credential-x', '#!/nowhere/interpreter\n'), 0o755)
  await expect(helper().get('registry.example')).rejects.toMatchObject({
    code: 'usage',
    message: 'docker-credential-x cannot be started (ENOENT).',
  })
})

describe('a program that fails', () => {
  const fails = async (script: string): Promise<void> => home.helper('x', `${script}; exit 1`)

  it('is quoted', async () => {
    await fails('echo "the keychain is locked"; echo noise >&2')
    await expect(helper({ configuredBy: 'credsStore in f' }).get('registry.example')).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'docker-credential-x, named by credsStore in f, could not give the credential: the keychain is locked',
    })
    await expect(helper().erase('registry.example')).rejects.toThrow('could not erase the credential: the keychain')
    await expect(helper().list()).rejects.toThrow('could not list what it has: the keychain is locked')
  })

  it('is quoted from stderr when it says nothing else', async () => {
    await fails('echo "no session bus" >&2')
    await expect(helper().get('registry.example')).rejects.toThrow('could not give the credential: no session bus')
  })

  it('is quoted on one short line, without what would move a cursor', async () => {
    await fails(`printf 'a\\033[2J\\nb\\r\\nc\\a'; head -c 1000 /dev/zero | tr '\\0' z`)
    await expect(helper().get('registry.example')).rejects.toThrow(/: a b c z{294}…$/)
  })

  it('is not quoted where it says the secret that it was given', async () => {
    await fails('cat | tr -d "{}"; echo "bad secret hunter2"')
    const { store } = helper()
    const stored = store('registry.example', { kind: 'password', username: 'ada', password: 'hunter2' })
    await expect(stored).rejects.toThrow(/could not store the credential\.$/)
    await fails('cat > /dev/null; echo "hunter2 is too short: hunter2"')
    const again = store('registry.example', { kind: 'identity-token', token: 'hunter2' })
    await expect(again).rejects.toThrow(/: \[secret\] is too short: \[secret\]$/)
  })

  it('is not quoted where it gives an answer all the same', async () => {
    await fails(`echo '{"ServerURL":"a","Username":"u","Secret":"hunter2"}'`)
    await expect(helper().get('registry.example')).rejects.toThrow(/could not give the credential\.$/)
  })
})

describe('an answer', () => {
  test.each([
    '',
    'hunter2',
    '"hunter2"',
    '["hunter2"]',
    'null',
    '{"Username":"hunter2"}',
    '{"Username":1,"Secret":"hunter2"}',
    '{"Username":"a","Secret":"hunter2"} x',
  ])('like %j is refused, and not shown', async (output) => {
    await answers(output)
    const refusal = await helper()
      .get('registry.example')
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'invalid-content' })
    expect(`${String(refusal)} ${JSON.stringify(refusal)}`).not.toContain('hunter2')
  })

  it('that is a list must have user names', async () => {
    await answers('{"a": {"hunter2": 1}}')
    await expect(helper().list()).rejects.toMatchObject({ code: 'invalid-content' })
  })

  it('of more than 1 MiB is not waited for', async () => {
    await home.helper('x', 'exec cat /dev/zero')
    await expect(helper().get('registry.example')).rejects.toMatchObject({ code: 'too-large' })
  })
})

describe('a program that hangs', () => {
  it('is killed, and named with what asks for it', async () => {
    await home.helper('x', `echo $$ > '${home.at('pid')}'; exec sleep 1000`)
    const options = { timeout: 1000, configuredBy: 'credHelpers["registry.example"] in f' }
    await expect(helper(options).get('registry.example')).rejects.toMatchObject({
      code: 'timeout',
      message: 'docker-credential-x, named by credHelpers["registry.example"] in f, has not ended after 1 s.',
    })
    const pid = Number(await home.read('pid'))
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  it('does not keep this program from ending, when what it started holds its output', async () => {
    await home.helper('x', `sleep 1000 & echo $! > '${home.at('pid')}'; wait`)
    const module = new URL('credential-helper.ts', import.meta.url).href
    const program = await home.write(
      'program.mjs',
      `import { credentialHelper } from ${JSON.stringify(module)}
      await credentialHelper('x', { timeout: 1000 }).get('registry.example').catch(({ code }) => console.log(code))`,
    )
    try {
      const options = { env: home.environment, timeout: 20_000 }
      expect((await promisify(execFile)(process.execPath, [program], options)).stdout).toBe('timeout\n')
    } finally {
      process.kill(Number(await home.read('pid')), 'SIGKILL')
    }
  })

  it('is killed when it is not wanted any more', async () => {
    await home.helper('x', `echo $$ > '${home.at('pid')}'; exec sleep 1000`)
    const controller = new AbortController()
    const got = helper().get('registry.example', { signal: controller.signal })
    await expect.poll(async () => home.read('pid').catch(() => '')).toMatch(/\d+\n/)
    controller.abort()
    await expect(got).rejects.toMatchObject({ code: 'aborted' })
    const pid = Number(await home.read('pid'))
    await expect.poll(() => isAlive(pid)).toBe(false)
    await expect(helper().get('registry.example', { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
