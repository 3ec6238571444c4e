import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type CommandOptions, run, start } from './testing/command.ts'
import { digestOf, pushBlob } from './testing/push.ts'
import { connectTo } from './testing/raw-connection.ts'
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

describe('stowage serve', () => {
  test('greets with its URL, its directory and the commands of a first push, and logs elsewhere', async () => {
    const cwd = await scratch()
    await using command = serveIn(cwd)
    const url = await command.serving()
    const host = new URL(url).host
    expect(command.stdout()).toBe(`
  Registry        ${url}
  Data directory  ${join(cwd, 'data')}

  auth is not on: everyone on this machine may push, pull and delete. Turn it on with --auth (STOWAGE_AUTH=on, auth: on); --no-auth says that this is meant.

  Push a first image:

    docker pull hello-world
    docker tag hello-world ${host}/hello-world
    docker push ${host}/hello-world

  Press Ctrl-C to stop.

`)
    for (const line of command.stderr().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg')
    expect(await (await fetch(`${url}/v2/`)).text()).toBe('{"success":true}')
  })

  test.each([
    ['0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['127.0.0.1:0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['localhost:0', /^http:\/\/localhost:\d+$/],
    ['[::1]:0', /^http:\/\/\[::1\]:\d+$/],
    ['0.0.0.0:0 --allow-anonymous', /^http:\/\/127\.0\.0\.1:\d+$/],
    [':0 --allow-anonymous', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['--allow-anonymous 0.0.0.0:0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['0.0.0.0:0 --auth', /^http:\/\/127\.0\.0\.1:\d+$/],
  ])('listens on %s', async (words, expected) => {
    await using command = serveIn(await scratch(), words.split(' '))
    const url = await command.serving()
    expect(url).toMatch(expected)
    expect((await fetch(`${url}/v2/`)).status).toBe(words.includes('--auth') ? 401 : 200)
  })

  test('refuses to listen beyond this machine', async () => {
    const cwd = await scratch()
    const result = await run(['serve', '0.0.0.0:0'], { cwd, env: { DISABLE_AUTHENTICATION: 'yes' } })
    expect(result).toMatchObject({ code: 78, stdout: '' })
    expect(result.stderr).toMatch(
      /^stowage: address: "0\.0\.0\.0:0" can be reached from other machines.*--allow-anonymous.*\n$/,
    )
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('STOWAGE_ALLOW_MISSING_BLOBS works', async () => {
    const cwd = await scratch()
    const { stdout } = await run(['serve', '--check-config'], { cwd, env: { STOWAGE_ALLOW_MISSING_BLOBS: 'true' } })
    expect(stdout).toMatch(/allowMissingBlobs: true +# STOWAGE_ALLOW_MISSING_BLOBS/)
  })

  test('lists every problem of its configuration, with lines', async () => {
    const cwd = await scratch()
    writeFileSync(join(cwd, 'stowage.yaml'), 'data: here\nuploads:\n  expireAfer: 10m\nlog:\n  level: loud\n')
    const args = ['serve', '--config', 'stowage.yaml', '--limits-keep-alive', 'long']
    const result = await run(args, { cwd, env: { STOWAGE_METRICS: 'off' } })
    expect(result).toMatchObject({ code: 78, stdout: '' })
    expect(result.stderr.split('\n')).toEqual([
      'stowage: The configuration has 4 problems:',
      '  stowage.yaml:3:3: uploads.expireAfer is not a setting; did you mean uploads.expireAfter?',
      '  stowage.yaml:5:3: log.level must be debug, info, warn, error, silent, not "loud"',
      expect.stringMatching(/^ {2}STOWAGE_METRICS: must be yes, /),
      expect.stringMatching(/^ {2}--limits-keep-alive: must be a duration /),
      '',
    ])
  })

  test('--check-config says what holds and why, and what would be refused', async () => {
    const cwd = await scratch()
    writeFileSync(join(cwd, 'stowage.yaml'), 'address: 0.0.0.0:7000\nallowAnonymous: yes\nlog: { level: warn }\n')
    const good = await run(['serve', '--check-config', '--config', 'stowage.yaml', '--no-metrics'], { cwd })
    expect(good).toMatchObject({ code: 0, stderr: '' })
    expect(good.stdout).toMatch(/^address: 0\.0\.0\.0:7000 +# stowage\.yaml:1$/m)
    expect(good.stdout).toMatch(/^ {2}level: warn +# stowage\.yaml:3$/m)
    expect(good.stdout).toMatch(/^metrics: false +# --no-metrics$/m)
    const refused = await run(['serve', '--check-config', '--config', 'stowage.yaml', '--no-allow-anonymous'], { cwd })
    expect(refused).toMatchObject({ code: 78, stdout: '' })
    expect(refused.stderr).toMatch(/^stowage: stowage\.yaml:1: "0\.0\.0\.0:7000" can be reached/)
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })

  test('a directory in use is one clear line', async () => {
    const cwd = await scratch()
    await using command = serveIn(cwd)
    await command.serving()
    const second = await run(['serve', '0'], { cwd })
    expect(second).toMatchObject({ code: 75, stdout: '' })
    const data = join(cwd, 'data')
    expect(second.stderr).toBe(
      `stowage: ${data} is in use by the process with the id ${command.process.pid}. Stop it first, or use another directory.\n`,
    )
  })

  test('a port in use is one clear line', async () => {
    await using command = serveIn(await scratch())
    const { port } = new URL(await command.serving())
    const second = await run(['serve', port], { cwd: await scratch() })
    expect(second).toMatchObject({ code: 69, stdout: '' })
    expect(second.stderr).toMatch(/^stowage: Another program listens on 127\.0\.0\.1:\d+ already\. .*\n$/)
  })

  test('a directory that cannot be made is one clear line', async () => {
    const result = await run(['serve', '0', '--data', '/dev/null/x'])
    expect(result).toMatchObject({ code: 73, stdout: '' })
    expect(result.stderr).toMatch(/^stowage: The data directory \/dev\/null\/x cannot be used: .*\n$/)
  })

  test('on SIGTERM an upload under way finishes, then the command ends with 0', async () => {
    await using command = serveIn(await scratch())
    const { port } = new URL(await command.serving())
    using upload = await connectTo(Number(port))
    upload.send(
      `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe`,
    )
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(/in_flight 2$/m)
    command.process.kill('SIGTERM')
    await expect.poll(command.stderr).toContain('shutting down')
    await new Promise((resolve) => setTimeout(resolve, 200))
    upload.send('llo')
    expect(await upload.ended()).toMatch(/^HTTP\/1\.1 201/)
    expect(await command.ended).toMatchObject({ code: 0, signal: null })
  })

  test('a second Ctrl-C cuts what is under way; two at once are one', async () => {
    await using command = serveIn(await scratch())
    const { port } = new URL(await command.serving())
    using upload = await connectTo(Number(port))
    upload.send(
      `POST /v2/a/blobs/uploads/?digest=${digestOf('hello')} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe`,
    )
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(/in_flight 2$/m)
    command.process.kill('SIGINT')
    await expect.poll(command.stderr).toContain('shutting down')
    command.process.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(upload.open).toBe(true)
    command.process.kill('SIGINT')
    await upload.ended()
    expect(await command.ended).toMatchObject({ code: 0, signal: null })
    expect(command.stderr()).toContain('requests were cut off')
  })

  test('a reader that leaves does not end the registry', async () => {
    await using command = serveIn(await scratch(), ['0', '--log-level', 'debug'])
    const url = await command.serving()
    command.process.stdout?.destroy()
    command.process.stderr?.destroy()
    for (let request = 0; request < 5; request++) {
      expect((await fetch(`${url}/v2/`)).status).toBe(200)
    }
  })
})

describe('stowage status and sweep', () => {
  test('ask the server while it runs, and the directory when it does not', async () => {
    const cwd = await scratch()
    await using command = serveIn(cwd)
    const url = await command.serving()
    await pushBlob(url, 'a/b', 'hello')

    const running = await run(['status'], { cwd })
    expect(running).toMatchObject({ code: 0, stderr: '' })
    expect(running.stdout).toMatch(
      new RegExp(`^Server +running at ${url} since .* \\(process ${command.process.pid}\\)$`, 'm'),
    )
    expect(running.stdout).toMatch(/^Blobs +1, 5 B$/m)
    expect(running.stdout).toMatch(/^Authentication +off$/m)
    const asJson = JSON.parse((await run(['status', '--json'], { cwd })).stdout) as unknown
    expect(asJson).toMatchObject({
      running: true,
      ready: true,
      auth: false,
      pid: command.process.pid,
      registry: { blobs: 1, blobBytes: 5 },
    })
    expect((await run(['sweep', '--json'], { cwd })).stdout).toBe('{\n  "expiredUploads": 0,\n  "deletedBlobs": 0\n}\n')

    command.process.kill('SIGTERM')
    await command.ended
    const stopped = await run(['status'], { cwd })
    expect(stopped).toMatchObject({ code: 0, stderr: '' })
    expect(stopped.stdout).toMatch(/^Server +not running$/m)
    expect(stopped.stdout).toMatch(/^Blobs +1, 5 B$/m)
    const idle = JSON.parse((await run(['status', '--json'], { cwd })).stdout) as unknown
    expect(idle).toMatchObject({ running: false, registry: { blobs: 1 } })
    expect((await run(['sweep'], { cwd })).stdout).toMatch(/^Uploads that expired: 0\./)
  })

  test('a directory that is not there is not made', async () => {
    const cwd = await scratch()
    const result = await run(['status'], { cwd })
    expect(result).toMatchObject({ code: 66, stdout: '' })
    expect(result.stderr).toBe(`stowage: There is no data directory ${join(cwd, 'data')}. Say which one with --data.\n`)
    expect(existsSync(join(cwd, 'data'))).toBe(false)
  })
})

describe('stowage', () => {
  test('prints its version', async () => {
    const { version } = (await import('../package.json', { with: { type: 'json' } })).default
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
  })

  test('helps', async () => {
    const help = await run(['serve', '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    for (const word of ['--data', '--uploads-expire-after', 'Examples:', 'Exit codes:'])
      expect(help.stdout).toContain(word)
  })

  test.each([[['srve']], [['serve', '--dta', 'x']], [['serve', '1', '2']], [['status', '--data']]])(
    '%j is not understood',
    async (args) => {
      expect(await run(args)).toMatchObject({ code: 64, stdout: '' })
    },
  )
})
