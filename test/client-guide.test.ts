import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createTestRegistry, sample, type TestRegistry } from '@stowage/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const run = promisify(execFile)

const page = await readFile(join(root, 'docs/client/guide.md'), 'utf8')

/** The code of a section, by its heading. */
const sampleOf = (heading: string): string => {
  const [section = ''] = page.split(`\n## ${heading}\n`).slice(1)
  const code = /^```ts\n(.*?)^```/ms.exec(section.split('\n## ')[0] ?? '')?.[1]
  if (code === undefined) throw new Error(`the section ${heading} has no code`)
  return code
}

describe('the guide to the client', () => {
  let directory: string
  let registry: TestRegistry

  beforeAll(async () => {
    // Inside the repository, so that the names of the packages are found from here.
    directory = await mkdtemp(join(root, 'test', '.guide-'))
    registry = await createTestRegistry()
    const send = async (method: string, target: string, options: { body?: unknown; headers?: object } = {}) => {
      const answer = await fetch(`${registry.url}${target}`, { method, ...options } as RequestInit)
      return { status: answer.status, text: () => '' }
    }
    await sample.pushImage({ send } as never, 'team/app', 'v1', sample.image('guide'))
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  /** The sample as it is printed, but for the name of the registry and that it speaks plain HTTP. */
  const execute = async (heading: string): Promise<string> => {
    const hosts = `hosts: { ${JSON.stringify(registry.host)}: { plainHttp: true } }`
    const code = sampleOf(heading)
      .replaceAll('registry.example', registry.host)
      .replace('createClient({\n', `createClient({ ${hosts},\n`)
      .replace('createClient()', `createClient({ ${hosts} })`)
    const file = join(directory, `${heading.toLowerCase().replaceAll(' ', '-')}.ts`)
    await writeFile(file, code)
    const { stdout } = await run(process.execPath, ['--conditions=@stowage/source', file], {
      cwd: directory,
      env: { ...process.env, DOCKER_CONFIG: directory, HOME: directory },
    })
    return stdout
  }

  it('reads', async () => {
    expect(await execute('Reading')).toMatch(/^linux amd64 1\n\d+\n$/)
  })
  it('copies', async () => {
    const output = await execute('Copying')
    expect(output).toContain('mounted')
    expect(output).toMatch(/manifest sha256:[0-9a-f]{64} copied/)
  })
  it('pushes', async () => {
    expect(await execute('Pushing')).toMatch(/^sha256:[0-9a-f]{64}\n$/)
  })
  it('takes up an upload again', async () => {
    expect(await execute('Uploads that survive')).toBe('0\n')
  })
  it('attaches and lists referrers', async () => {
    expect(await execute('Referrers')).toContain('application/spdx+json')
  })
  it('lists', async () => {
    const output = await execute('Lists')
    expect(output).toContain('team/app')
    expect(output).toContain('v1')
  })
  it('takes credentials from where they are', async () => {
    expect(await execute('Credentials')).toBe('')
  })
  it('tells errors apart', async () => {
    expect(await execute('Errors')).toContain('404')
  })
  it('has no sample that is not executed, but the one with files that are not here', () => {
    expect(page.match(/^```ts$/gm)).toHaveLength(9)
  })
})
