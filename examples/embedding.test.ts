import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveOptions } from '../packages/registry/src/options.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

/** What `resolveOptions` says there is, when it is given what there is not: `uploads.expireAfter`, `publicUrl`, … */
const knownOptions = (): string[] => {
  const namesIn = (options: object): string[] => {
    try {
      resolveOptions(options as never)
    } catch (error) {
      const [, names] = /none-such is not an option; there are ([\w, ]+)/.exec(String(error)) ?? []
      return names?.split(', ') ?? []
    }
    return []
  }
  return namesIn({ 'none-such': 1 }).flatMap((name) => {
    const inside = namesIn({ [name]: { 'none-such': 1 } })
    return inside.length === 0 ? [name] : inside.map((inner) => `${name}.${inner}`)
  })
}

describe('docs/embedding.md', async () => {
  const page = await readFile(join(root, 'docs', 'embedding.md'), 'utf8')
  const snippets = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '')
  const quoted = snippets.filter((code) => code.startsWith('// examples/'))
  const whole = snippets.filter((code) => !code.startsWith('// examples/'))
  const snippetWith = (text: string): string => whole.find((code) => code.includes(text)) ?? ''
  let directory: string

  beforeAll(async () => {
    // Inside the repository, so that the names of the packages are found from here.
    directory = await mkdtemp(join(root, 'examples', '.embedding-'))
  })
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  /** Runs a snippet with some lines behind it that print what they see as JSON. */
  const outcomeOf = async (snippet: string, lines: string, env: Record<string, string> = {}): Promise<unknown> => {
    const file = join(directory, 'run.ts')
    await writeFile(
      file,
      `${snippet.replace("'./data'", "':memory:'")}\n${lines}\nawait registry[Symbol.asyncDispose]()\n`,
    )
    const { stdout } = await run(process.execPath, ['--conditions=@stowage/source', file], {
      env: { ...process.env, ...env },
    })
    return JSON.parse(stdout) as unknown
  }

  it('has every option in its table, and none that is not', () => {
    const listed = [...page.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name)
    expect(knownOptions().length).toBeGreaterThan(10)
    expect(listed.toSorted()).toEqual(knownOptions().toSorted())
  })

  it('quotes the examples as they are', async () => {
    expect(quoted.length).toBeGreaterThanOrEqual(5)
    for (const code of quoted) {
      const [first = '', ...lines] = code.trimEnd().split('\n')
      const example = await readFile(join(root, first.slice('// '.length)), 'utf8')
      let at = 0
      for (const line of lines) {
        const found = example.indexOf(`${line}\n`, at)
        expect([first, line, found >= at]).toEqual([first, line, true])
        at = found
      }
    }
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
      else await readFile(join(root, 'docs', target.split('#', 1)[0] ?? ''))
    }
    expect(targets.length).toBeGreaterThan(10)
  })

  it('has snippets that compile', async () => {
    await Promise.all(whole.map(async (code, index) => writeFile(join(directory, `snippet-${index}.ts`), code)))
    const config = { extends: '../../tsconfig.check.json', include: ['snippet-*.ts'], exclude: [] }
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const checked = await run(process.execPath, [compiler, '-p', directory]).catch((error: { stdout: string }) => error)
    expect(checked.stdout).toBe('')
    expect(whole.length).toBeGreaterThanOrEqual(5)
  })

  it('has a first snippet that answers', async () => {
    const file = join(directory, 'first.ts')
    await writeFile(file, snippetWith('console.log(answer.status').replace("'./data'", "':memory:'"))
    const { stdout } = await run(process.execPath, ['--conditions=@stowage/source', file])
    expect(stdout).toBe('200 {"success":true}\n')
  })

  it('has accounts that let people in by their rules', async () => {
    const outcome = await outcomeOf(
      snippetWith('firstAdministrator'),
      `
      const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
      const secret = await invite('ada')
      const ask = async (user: string | undefined, method: string, path: string) => {
        const headers = user === undefined ? {} : { authorization: 'Basic ' + btoa(user) }
        const body = method === 'POST' ? 'hello' : null
        return (await registry.fetch(new Request('http://x' + path, { method, headers, body }))).status
      }
      const push = (name: string) => '/v2/' + name + '/blobs/uploads/?digest=' + digest
      console.log(JSON.stringify({
        stranger: await ask(undefined, 'POST', push('team/app')),
        invited: await ask('ada:' + secret, 'POST', push('team/app')),
        elsewhere: await ask('ada:' + secret, 'POST', push('public/app')),
        administrator: await ask('admin:correct horse', 'POST', push('public/app')),
        everybody: await ask(undefined, 'GET', '/v2/public/app/blobs/' + digest),
        private: await ask(undefined, 'GET', '/v2/team/app/blobs/' + digest),
        token: await ask('ada:' + secret, 'GET', '/auth/token?service=registry.example'),
      }))`,
      { ADMIN_PASSWORD: 'correct horse' },
    )
    expect(outcome).toEqual({
      stranger: 401,
      invited: 201,
      elsewhere: 403,
      administrator: 201,
      everybody: 200,
      private: 401,
      token: 200,
    })
  })

  it('has access control that keeps its word', async () => {
    const outcome = await outcomeOf(
      snippetWith('const access: AccessControl'),
      `
      const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
      const ask = async (method: string, path: string, password?: string) => {
        const headers = password === undefined ? {} : { authorization: 'Basic ' + btoa('ada:' + password) }
        const body = method === 'POST' ? 'hello' : null
        const answer = await registry.fetch(new Request('http://x/v2/' + path, { method, headers, body }))
        return [answer.status, answer.headers.get('www-authenticate')]
      }
      console.log(JSON.stringify({
        anonymous: await ask('GET', ''),
        wrong: await ask('GET', '', 'guess'),
        right: await ask('GET', '', 'correct horse'),
        list: await ask('GET', '_catalog'),
        push: await ask('POST', 'ada/app/blobs/uploads/?digest=' + digest),
        own: await ask('POST', 'ada/app/blobs/uploads/?digest=' + digest, 'correct horse'),
        others: await ask('POST', 'bob/app/blobs/uploads/?digest=' + digest, 'correct horse'),
        pull: await ask('GET', 'ada/app/blobs/' + digest, 'correct horse'),
      }))`,
    )
    const challenge = 'Basic realm="registry"'
    expect(outcome).toEqual({
      anonymous: [401, challenge],
      wrong: [401, challenge],
      right: [200, null],
      list: [200, null],
      push: [401, challenge],
      own: [201, null],
      others: [403, null],
      pull: [200, null],
    })
  })

  it('has hooks that hear of a push and a pull', async () => {
    const outcome = await outcomeOf(
      snippetWith('receivers: {'),
      `
      const type = 'application/vnd.oci.image.manifest.v1+json'
      const empty = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
      const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 }
      const send = async (method: string, path: string, body: string | null = null) =>
        registry.fetch(new Request('http://x/v2/' + path, { method, headers: { 'content-type': type }, body }))
      await send('POST', 'app/blobs/uploads/?digest=' + empty, '{}')
      const manifest = { schemaVersion: 2, mediaType: type, artifactType: 'a/b', config, layers: [config] }
      await send('PUT', 'app/manifests/one', JSON.stringify(manifest))
      await send('GET', 'app/manifests/one')
      while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await registry.sweep()
      console.log(JSON.stringify(seen))`,
    )
    expect(outcome).toEqual(['anonymous set app:one', 'app:one was pulled 1 times'])
  })
})
