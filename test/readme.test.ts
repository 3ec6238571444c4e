import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestRegistry, sample, type OpenDoor } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const run = promisify(execFile)

/** As much of a door as pushing a sample takes. */
const sendTo =
  (url: string): OpenDoor['send'] =>
  async (method, target, { headers = {}, body } = {}) => {
    const answer = await fetch(`${url}${target}`, { method, headers, body: body as Uint8Array<ArrayBuffer> })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const text = (): string => new TextDecoder().decode(bytes)
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name),
      bytes,
      text,
      json: () => JSON.parse(text()) as unknown,
    }
  }

/** The code samples of a page, in order, of one language. */
const samples = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')

describe('the samples of README.md', async () => {
  const page = await readFile(join(root, 'README.md'), 'utf8')
  const typescript = samples(page, 'ts')
  let directory: string

  beforeAll(async () => {
    // Inside the repository, so that the names of the packages are found from here.
    directory = await mkdtemp(join(root, 'test', '.readme-'))
  })
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  const save = async (name: string, code: string): Promise<string> => {
    const file = join(directory, name)
    await writeFile(file, code)
    return file
  }
  const node = ['--conditions=@stowage/source']

  it('embeds a registry that takes a push and tells of it', async () => {
    const file = await save('embed.ts', typescript[0] ?? '')
    const child = spawn(process.execPath, [...node, file], { cwd: directory, env: { ...process.env, PORT: '0' } })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    try {
      await expect.poll(() => output, { timeout: 20_000 }).toContain('listening on')
      const port = /port: (\d+)/.exec(output)?.[1] ?? ''
      const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
      const pushed = await fetch(`http://127.0.0.1:${port}/v2/demo/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: 'hello',
      })
      expect(pushed.status).toBe(201)
      await expect.poll(() => output, { timeout: 20_000 }).toContain('blob.pushed demo')
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  })

  it('reads a manifest and refuses an ambiguous one', async () => {
    const file = await save('manifest.ts', typescript[1] ?? '')
    const { stdout } = await run(process.execPath, [...node, file], { cwd: directory })
    expect(stdout).toContain('image application/vnd.oci.image.manifest.v1+json')
    expect(stdout).toContain('schemaVersion')
  })

  it('copies an image with what refers to it', async () => {
    await using registry = await createTestRegistry()
    await using other = await createTestRegistry()
    await sample.pushImage({ send: sendTo(registry.url) }, 'acme/app', 'v1', sample.image('readme'))
    // As it is printed, but for the names of the registries and that they speak plain HTTP.
    const code = (typescript[2] ?? '')
      .replace('ghcr.io', `http://${registry.host}`)
      .replace('registry.example', `http://${other.host}`)
    const { stdout } = await run(process.execPath, [...node, await save('copy.ts', code)], { cwd: directory })
    expect(stdout.split('\n')).toHaveLength(5)
    expect(stdout).toContain(`${sample.image('readme').digest} copied`)
  })

  it('copies, lists and validates by the commands', async () => {
    await using registry = await createTestRegistry()
    await using hub = await createTestRegistry()
    await sample.pushImage({ send: sendTo(hub.url) }, 'alpine', '3.20', sample.image('alpine'))
    const [, making = '', using = ''] = samples(page, 'sh')
    // As they are printed, but from source, and with the names of registries that are here.
    const command = making
      .replace('npm run build\n', '')
      .replace('$PWD/node_modules/.bin/node"', `${process.execPath}" ${node.join(' ')}`)
      .replace('$PWD/packages/stowage/dist/main.js', join(root, 'packages/stowage/src/main.ts'))
    const calls = using
      .replace('cp alpine:3.20', `cp ${hub.host}/alpine:3.20`)
      .replaceAll('localhost:5000', registry.host)
    await run('bash', ['-euc', `${command}\n${calls}`], { cwd: directory })
    const tags = (await (await fetch(`${registry.url}/v2/alpine/tags/list`)).json()) as { tags: string[] }
    expect(tags.tags).toEqual(['3.20'])
  })

  it('has no sample that is not executed', () => {
    expect(typescript).toHaveLength(3)
  })

  it('speaks plain HTTP', async () => {
    const plain = samples(page, 'sh').at(-1)
    await using registry = await createTestRegistry()
    const { stdout } = await run('bash', ['-euc', plain ?? ''], { env: { ...process.env, REGISTRY: registry.url } })
    expect(stdout).toBe('hello')
  })

  it('links to files that are there', async () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? '')
    expect(links.length).toBeGreaterThan(10)
    const missing: string[] = []
    for (const link of links) {
      await readFile(join(root, link)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EISDIR') missing.push(link)
      })
    }
    expect(missing).toEqual([])
  })
})
