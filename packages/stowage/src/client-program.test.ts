import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createTestRegistry, hang, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run, start } from './testing/command.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

const scratch = async (): Promise<string> => {
  const directory = await temporaryDirectory()
  onTestFinished(async () => directory[Symbol.asyncDispose]())
  return directory.path
}

const main = new URL('main.ts', import.meta.url).pathname

/** A shell that has the program by its name. */
const shell = async (program: string, cwd: string) => {
  const file = join(cwd, 'stowage')
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' --conditions=@stowage/source '${main}' "$@"\n`)
  await chmod(file, 0o755)
  const env = { PATH: `${cwd}:${process.env['PATH']}`, HOME: cwd }
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile('bash', ['-c', program], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

describe('the program', () => {
  test.each([
    [['--help'], 0],
    [['--version'], 0],
    [['help', 'ls'], 0],
    [['manifest'], 0],
    [['user'], 0],
    [['user', 'add', '--help'], 0],
    [['mnifest'], 64],
  ])('%j is answered without loading the client or the registry', async (argv, code) => {
    const cwd = await scratch()
    const loaded = join(cwd, 'loaded')
    await writeFile(
      join(cwd, 'hook.mjs'),
      `import { registerHooks } from 'node:module'
       import { appendFileSync } from 'node:fs'
       registerHooks({ load: (url, context, next) => (appendFileSync('${loaded}', url + '\\n'), next(url, context)) })`,
    )
    const result = await run(argv, { env: { NODE_OPTIONS: `--import=${join(cwd, 'hook.mjs')}` } })
    expect(result).toMatchObject({ code })
    const urls = (await readFile(loaded, 'utf8')).split('\n')
    expect(urls.filter((url) => url.endsWith('stowage/src/cli.ts'))).toHaveLength(1)
    expect(urls.filter((url) => /packages\/(?:client|registry)\/|clack|undici|pino/.test(url))).toEqual([])
  })

  test('helps with examples, aliases and exit codes', async () => {
    const { stdout } = await run(['list-tags', '--help'])
    for (const words of ['Usage: stowage ls', 'Examples:', 'Also called: tags', 'Exit codes:', '--registry-config'])
      expect(stdout).toContain(words)
    expect((await run(['--help'])).stdout).toMatch(/Images and registries:\n {2}login .*\n(?:.*\n)* {2}blob push /)
  })

  test('a wrong word is one line, with what was probably meant', async () => {
    const result = await run(['catlog', 'localhost:5000'])
    expect(result).toMatchObject({ code: 64, stdout: '' })
    expect(result.stderr).toBe('stowage: "catlog" is not a command of stowage.\n  Did you mean stowage catalog?\n')
  })

  test.each([
    ['usr', 'stowage: "usr" is not a command of stowage.\n  Did you mean stowage user?\n'],
    ['user disble', 'stowage: "disble" is not a command of stowage user.\n  Did you mean stowage user disable?\n'],
    ['acces allow', 'stowage: "acces" is not a command of stowage.\n  Did you mean stowage access?\n'],
    ['key roll', 'stowage: "roll" is not a command of stowage key.\n  There is ls, list, rotate.\n'],
  ])('stowage %s is not there, and what is near is named', async (line, stderr) => {
    expect(await run(line.split(' '))).toEqual({ code: 64, signal: null, stdout: '', stderr })
  })

  test('calls nest, because a push prints one line', async () => {
    await using registry = await createTestRegistry()
    const cwd = await scratch()
    const bytes = randomBytes(3_000_000)
    await writeFile(join(cwd, 'layer'), bytes)
    const nested = `stowage blob get "$(stowage blob push ${registry.host}/app - < layer)" > copy && cmp layer copy && echo same`
    expect(await shell(nested, cwd)).toMatchObject({ code: 0, stdout: 'same\n' })
  })

  test('Ctrl-C ends what is under way, and says how to go on', async () => {
    await using registry = await startMisbehavingRegistry()
    registry.on({}, hang())
    await using command = start(['blob', 'get', `${registry.host}/app@sha256:${'a'.repeat(64)}`, '-o', 'layer'])
    await expect.poll(() => registry.requests.length, { timeout: 10_000 }).toBe(1)
    command.process.kill('SIGINT')
    expect(await command.ended).toEqual({
      code: 130,
      signal: null,
      stdout: '',
      stderr: 'stowage: Stopped. Run the same command again: with --output it goes on where it was.\n',
    })
  })

  test('a reader that leaves is no error', async () => {
    const tags = Array.from({ length: 50_000 }, (_, index) => `v${index}`)
    const server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ name: 'app', tags })),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close().closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    const program = `stowage ls 127.0.0.1:${port}/app | head -n 1; echo "\${PIPESTATUS[0]}"`
    expect(await shell(program, await scratch())).toEqual({ code: 0, stdout: 'v0\n0\n', stderr: '' })
  })
})
