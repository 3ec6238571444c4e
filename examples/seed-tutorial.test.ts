import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as reggie from '@stowage/client/reggie'
import { createTestRegistry, startMisbehavingRegistry } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const node = ['--conditions=@stowage/source']

const tutorial = async (url: string, environment: Readonly<Record<string, string>> = {}): Promise<string> => {
  const env = { ...process.env, STOWAGE_USERNAME: '', STOWAGE_PASSWORD: '', ...environment }
  const { stdout } = await run(process.execPath, [...node, join(import.meta.dirname, 'seed-tutorial.ts'), url], { env })
  return stdout
}

describe('examples/seed-tutorial.ts', () => {
  it('passes, every particular of the page asserted', async () => {
    await using registry = await createTestRegistry()
    const output = await tutorial(registry.url)
    expect(output).toMatch(/\ndone\n$/)
    expect(output).toContain("tags <Response [200]> { name: 'myorg/myrepo', tags: [ 'latest' ] }")
  })

  it('passes a second time, and with an address that ends in a slash', async () => {
    await using registry = await createTestRegistry()
    await tutorial(registry.url)
    expect(await tutorial(`${registry.url}/`)).toMatch(/\ndone\n$/)
  })

  it('passes where Locations are absolute', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({}, async (call, next) => {
      const outcome = await next(call)
      if (typeof outcome !== 'object') return outcome
      const headers = outcome.headers.map(([name, value]): readonly [string, string] =>
        name.toLowerCase() === 'location' ? [name, `${server.url}${value}`] : [name, value],
      )
      return { ...outcome, headers }
    })
    expect(await tutorial(server.url)).toMatch(/\ndone\n$/)
  })

  const users = { dinosaur: 'rawr and roar' }
  const environment = { STOWAGE_USERNAME: 'dinosaur', STOWAGE_PASSWORD: users.dinosaur }

  it('passes where tokens are asked for, and asks for few', async () => {
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'bearer', users } })
    expect(await tutorial(server.url, environment)).toMatch(/\ndone\n$/)
    const asked = server.tokens.requests.map(({ user, scopes }) => [user, ...scopes])
    expect(asked).toEqual([
      ['dinosaur'],
      ['dinosaur', 'repository:myorg/myrepo:pull,push'],
      ['dinosaur', 'repository:myorg/myrepo:pull'],
      ['dinosaur', 'repository:vsoch/django-oci:pull'],
    ])
    expect(server.requests.filter(({ status }) => status === 401)).toHaveLength(asked.length)
  })

  it('passes where a password is asked for, which one 401 suffices for', async () => {
    await using server = await startMisbehavingRegistry({ auth: { scheme: 'basic', users } })
    expect(await tutorial(server.url, environment)).toMatch(/\ndone\n$/)
    expect(server.requests.filter(({ status }) => status === 401)).toHaveLength(1)
  })

  it('fails at a registry that does not do as the page says', async () => {
    await using server = await startMisbehavingRegistry()
    server.on({ method: 'GET', path: /tags\/list$/ }, async (call, next) => next({ ...call, target: '/v2/' }))
    await expect(tutorial(server.url)).rejects.toThrow(/AssertionError/)
  })
})

describe('docs/client/from-reggie.md', async () => {
  const page = await readFile(join(root, 'docs', 'client', 'from-reggie.md'), 'utf8')
  const snippets = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '')
  const quoted = snippets.filter((code) => code.startsWith('// examples/'))
  const whole = snippets.filter((code) => !code.startsWith('// examples/'))
  let directory: string
  beforeAll(async () => {
    // Inside the repository, so that the names of the packages are found from here.
    directory = await mkdtemp(join(root, 'examples', '.from-reggie-'))
  })
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  it('quotes the tutorial as it is, in its order', async () => {
    expect(quoted.length).toBeGreaterThanOrEqual(8)
    const example = await readFile(join(import.meta.dirname, 'seed-tutorial.ts'), 'utf8')
    for (const code of quoted) {
      let at = 0
      for (const line of code.trimEnd().split('\n').slice(1)) {
        const found = example.indexOf(`${line}\n`, at)
        expect([line, found >= at]).toEqual([line, true])
        at = found
      }
    }
  })

  it('has snippets that do what they say', async () => {
    await using registry = await createTestRegistry()
    const outputs: string[] = []
    for (const [index, code] of whole.entries()) {
      const file = join(directory, `snippet-${index}.ts`)
      await writeFile(file, code.replace('http://127.0.0.1:5000', registry.url))
      outputs.push((await run(process.execPath, [...node, file])).stdout)
    }
    expect(outputs).toEqual(['<Response [201]> <Response [200]> 5\n', '<Response [200]>\n'])
  })

  it('has snippets that compile', async () => {
    const config = { extends: '../../tsconfig.check.json', include: ['snippet-*.ts'], exclude: [] }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const checked = await run(process.execPath, [compiler, '-p', directory]).catch((error: { stdout: string }) => error)
    expect(checked.stdout).toBe('')
  })

  it('lists every name that there is, and none that is not', async () => {
    const rows = [...page.matchAll(/^\| (`?[\w.]+`?) \| ((?:`\w+` ?)+)\|$/gm)]
    const listed = Object.fromEntries(
      rows.map(([, of = '', names = '']) => [
        of.replaceAll('`', ''),
        [...names.matchAll(/\w+/g)].map(([name]) => name),
      ]),
    )
    const client = reggie.NewClient('http://127.0.0.1:1')
    const request = client.NewRequest('GET', '/v2/')
    await using registry = await createTestRegistry()
    const there = reggie.NewClient(registry.url)
    const response = await there.Do(there.NewRequest('GET', '/v2/'))
    const members: Record<string, object> = { client, request, response, 'client.Config': client.Config }
    for (const [of, object] of Object.entries(members)) {
      for (const name of listed[of] ?? []) expect([of, name, name in object]).toEqual([of, name, true])
    }
    const exported = ['NewClient', 'NewRequest', 'constants'].flatMap((of) => listed[of] ?? [])
    for (const name of exported) expect([name, name in reggie]).toEqual([name, true])
    const unlisted = Object.keys(reggie).filter((name) => !page.includes(`\`${name}`))
    expect(unlisted).toEqual(['isClientError'])
    expect(Object.keys(listed)).toHaveLength(7)
  })

  it('links to headings and files that are there', async () => {
    const slug = (heading: string): string =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-')
    const headings = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading ?? '')))
    const targets = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '')
    for (const target of targets) {
      if (target.startsWith('#')) expect(headings).toContain(target.slice(1))
      else if (!target.startsWith('https://')) await readFile(join(root, 'docs', 'client', target))
    }
    expect(targets.length).toBeGreaterThanOrEqual(9)
  })
})
