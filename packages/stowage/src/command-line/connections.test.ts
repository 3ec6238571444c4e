import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startMisbehavingRegistry } from '@stowage/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../testing/temporary-directory.ts'
import { createConnections } from './connections.ts'
import { defineCommand } from './define.ts'
import { parseArguments } from './parse.ts'
import { createPrompt } from './prompt.ts'

const twoSided = defineCommand({
  usage: '<from> <to>',
  arguments: { from: 'from', to: 'to' },
  about: 'Does nothing.',
  sides: 'two',
  examples: [['stowage nothing', 'nothing']],
  run: async () => {},
})

const connect = async (options: readonly string[]) => {
  const directory = await temporaryDirectory()
  const parsed = parseArguments('nothing', twoSided, ['a', 'b', ...options])
  const traced: string[] = []
  const connections = createConnections({
    parsed,
    environment: { HOME: directory.path, XDG_RUNTIME_DIR: directory.path },
    prompt: createPrompt(process, { tty: false, signal: new AbortController().signal }),
    onWarning: () => {},
    onTrace: ({ method, url, status }) => void traced.push(`${method} ${url} ${status}`),
  })
  onTestFinished(async () => {
    await connections[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  })
  return { connections, traced, at: (name: string) => join(directory.path, name) }
}

const serve = async (user: string) => {
  const registry = await startMisbehavingRegistry({ auth: { scheme: 'basic', users: { [user]: `${user}'s` } } })
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  return registry
}

const asksWith = (header: string | undefined): string => Buffer.from(header?.slice(6) ?? '', 'base64').toString()

describe('connectSides', () => {
  test('is one client unless the sides are told apart', async () => {
    const same = await (
      await connect(['-j', '3', '--insecure'])
    ).connections.connectSides('a.example/x', ['b.example/y'])
    expect(same.from).toBe(same.to)
    expect(same.from.transport.host('a.example').concurrency).toBe(3)
    for (const option of ['--from-insecure', '--to-plain-http', '--src-tls-verify=false', '--to-registry-config=x']) {
      const apart = await (await connect([option])).connections.connectSides('a.example/x', 'b.example/y')
      expect(apart.from).not.toBe(apart.to)
    }
  })

  test('shows each side its own credentials, even of one registry', async () => {
    const [one, other] = [await serve('me'), await serve('you')]
    const { connections } = await connect([
      '--plain-http',
      '--from-username',
      'me',
      '--from-password',
      "me's",
      '--dest-creds',
      "you:you's",
    ])
    const { from, to } = await connections.connectSides(`${one.host}/x`, `${other.host}/y`)
    await from.registry(one.host).ping()
    await to.registry(other.host).ping()
    expect(one.requests.map(({ headers }) => asksWith(headers.authorization))).toEqual(['', "me:me's"])
    expect(other.requests.map(({ headers }) => asksWith(headers.authorization))).toEqual(['', "you:you's"])
    // What was given for one side is not tried on the other.
    await expect(from.registry(other.host).ping()).rejects.toMatchObject({ code: 'unauthorized' })
    expect(other.requests.at(-1)?.headers.authorization).toBeUndefined()
  })
})

describe('what the command line says of registries', () => {
  test('reaches the client', async () => {
    const { connections } = await connect([
      '--timeout=3s',
      '--retries=2',
      '--token-server=auth.example',
      '--concurrency=5',
      '--distribution-spec=v1.1-referrers-tag',
    ])
    const client = await connections.connect('registry.example/x', 'localhost:5000/y', { registry: '127.0.0.1:1' })
    expect(client.transport.host('registry.example')).toMatchObject({
      endpoint: 'https://registry.example',
      idleTimeout: 3000,
      answerTimeout: 3000,
      attempts: 3,
      tokenServers: ['auth.example'],
      concurrency: 5,
      referrers: 'tag',
    })
    expect(client.transport.host('localhost:5000').endpoint).toBe('http://localhost:5000')
    expect(client.transport.host('127.0.0.1:1').endpoint).toBe('http://127.0.0.1:1')
    // What was not named is not trusted to be on this machine.
    expect(client.transport.host('localhost:5001').endpoint).toBe('https://localhost:5001')
  })

  test('files of credentials are read in their order, and in place of the usual ones', async () => {
    const registry = await serve('me')
    const { connections, at } = await connect(['--registry-config', '/no/such/file'])
    const entry = { auths: { [registry.host]: { auth: Buffer.from("me:me's").toString('base64') } } }
    await mkdir(dirname(at('.docker/config.json')))
    await writeFile(at('.docker/config.json'), JSON.stringify(entry))
    const client = await connections.connect({ registry: registry.host })
    await expect(client.registry(registry.host).ping()).rejects.toMatchObject({ code: 'unauthorized' })
    const named = await connect(['--registry-config', '/no/such/file', '--authfile', at('.docker/config.json')])
    await (await named.connections.connect({ registry: registry.host })).registry(registry.host).ping()
    expect(named.traced.at(-1)).toBe(`GET ${registry.url}/v2/ 200`)
  })
})
