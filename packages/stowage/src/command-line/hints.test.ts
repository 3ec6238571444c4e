import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestRegistry, startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runClientCommand as stowage } from '../testing/client-command.ts'
import { run } from '../testing/command.ts'

test('a registry that answers HTTP with a bare 400 speaks TLS', async () => {
  const server = createServer((_, response) => {
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close().closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const line of [
    ['ping', host],
    ['ls', `${host}/app`],
  ]) {
    expect((await stowage(line)).stderr).toContain(`It seems to speak TLS: write https://${host}\n`)
  }
})

test('where there are two sides, the option is that of the side that failed', async () => {
  await using registry = await createTestRegistry()
  const place = `https://${registry.host}/app:v1`
  const from = await stowage(['cp', place, 'memory:x', '--retries', '0'])
  expect(from.stderr).toContain('Option: --from-plain-http.')
  expect((await stowage(['digest', place, '--retries', '0'])).stderr).toContain('Option: --plain-http.')
})

test('credentials on the command line that are wrong are said to be', async () => {
  await using registry = await startMisbehavingRegistry({ auth: { scheme: 'basic', users: { me: 'right' } } })
  const place = `${registry.host}/app:v1`
  const wrong = 'The credentials that the command line gives are wrong.'
  const given = await stowage(['digest', place, '-u', 'me', '-p', 'no'])
  expect(given).toMatchObject({ code: 4 })
  expect(given.stderr).toContain(wrong)
  expect((await stowage(['digest', place])).stderr).toContain(`Log in with: stowage login ${registry.host}`)
  const one = await stowage(['cp', place, 'memory:x', '--from-username', 'me', '--from-password', 'no'])
  expect(one.stderr).toContain(wrong)
  const other = await stowage(['cp', place, 'memory:x', '--to-username', 'me', '--to-password', 'no'])
  expect(other.stderr).not.toContain(wrong)
})

describe('files', () => {
  test.each([
    [
      'manifest get 127.0.0.1:1/app:v1 -o nodir/m.json',
      1,
      'nodir/m.json cannot be written: there is no directory nodir.',
    ],
    ['image pull 127.0.0.1:1/app:v1 nodir/a.tar', 1, 'nodir/a.tar cannot be written: there is no directory nodir.'],
    ['manifest get 127.0.0.1:1/app:v1 -o /dev/null/m', 1, '/dev/null/m cannot be written: /dev/null is no directory.'],
    ['manifest get 127.0.0.1:1/app:v1 -o /tmp', 1, '/tmp cannot be written: it is a directory.'],
    ['attach 127.0.0.1:1/app:v1 -a a=b --annotation-file nope.json', 3, 'nope.json is not there.'],
    ['sync --from nope.txt 127.0.0.1:1/mirror/', 3, 'nope.txt is not there.'],
    ['manifest put 127.0.0.1:1/app:v1 nope.json', 3, 'nope.json is not there.'],
  ])('%s is told before anything is asked', async (line, code, said) => {
    expect(await stowage(line.split(' '))).toMatchObject({ code, stdout: '', stderr: `stowage: ${said}\n` })
  })
})

describe('suggestions', () => {
  test.each([
    ['list x', 'stowage ls'],
    ['version', 'stowage --version'],
    ['export x y', 'stowage image pull'],
    ['manifest digest x', 'stowage digest'],
    ['tag remove 127.0.0.1:1/app:v1', 'stowage tag rm'],
  ])('%s', async (line, meant) => {
    const { code, stderr } = await run(line.split(' '))
    expect(code).toBe(64)
    expect(stderr).toContain(`Did you mean ${meant}?`)
  })

  test('a wrong option of a server command is told as all others are', async () => {
    expect(await run(['serve', '--nope'])).toMatchObject({
      code: 64,
      stderr: "stowage: Unknown option '--nope'. See stowage serve --help.\n",
    })
  })

  test('a setting that is on says how to turn it off', async () => {
    expect((await run(['serve', '--help'])).stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--metrics Serve /metrics for Prometheus (default on; --no-metrics turns it off)',
    )
  })

  test.each(['pull', 'image pull', 'image push'])('%s --help has the formats', async (command) => {
    const { stdout } = await stowage([...command.split(' '), '--help'])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('--format <format> docker, oci, oci-dir')
    const wrong = await stowage([...command.split(' '), 'ocidir:x', 'y', '--format', 'zip'])
    expect(wrong).toMatchObject({ code: 64 })
    expect(wrong.stderr).toContain('--format must be docker, oci, oci-dir,')
  })
})

test('whoami without credentials is 4, and says where', async () => {
  expect(await stowage(['whoami', 'registry.example'])).toMatchObject({
    code: 4,
    stderr: 'stowage: Not logged in to registry.example.\n  Log in with: stowage login registry.example\n',
  })
})
