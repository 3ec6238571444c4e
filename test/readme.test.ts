import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestRegistry } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const run = promisify(execFile)

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

  it('has no sample that is not executed', () => {
    expect(typescript).toHaveLength(2)
  })

  it('speaks plain HTTP', async () => {
    const [, plain] = samples(page, 'sh')
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
