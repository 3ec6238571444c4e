import { glob, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname

/** Everything a package may import besides its own files and `node:` modules. A new entry is a decision; say why in its commit. */
const allowed: Record<string, { packages: readonly string[]; node: boolean }> = {
  oci: { packages: [], node: false },
  registry: { packages: ['@stowage/oci', 'kysely', 'lru-cache', 'srvx'], node: true },
  postgres: { packages: ['@stowage/registry', 'kysely', 'pg'], node: true },
  client: { packages: ['@noble/hashes', '@stowage/oci', 'tar-stream', 'undici'], node: true },
  testkit: { packages: ['@stowage/oci', '@stowage/registry', 'vitest'], node: true },
  stowage: {
    packages: [
      '@clack/prompts',
      '@stowage/client',
      '@stowage/oci',
      '@stowage/registry',
      'commander',
      'pino',
      'prom-client',
      'yaml',
      'zod',
    ],
    node: true,
  },
}

/** Inside the registry data flows one way: a room may import only from the rooms named here (and from itself). */
const rooms: Record<string, readonly string[]> = {
  doors: ['http', 'registry.ts', 'options.ts'],
  http: ['access', 'content', 'events', 'metadata', 'errors.ts', 'logger.ts'],
  content: ['access', 'blobs', 'metadata', 'errors.ts'],
  events: ['metadata', 'logger.ts'],
  access: ['errors.ts'],
  metadata: ['access'],
  blobs: [],
}

interface Import {
  readonly file: string
  readonly target: string
}

const importsOf = async (directory: string): Promise<Import[]> => {
  const found: Import[] = []
  for await (const file of glob(join(root, directory, '**/*.ts'))) {
    // What only tests use is not packed.
    if (/\.(test|pgtest|peertest)\.ts$|\/src\/testing\//.test(file)) continue
    const code = await readFile(file, 'utf8')
    for (const match of code.matchAll(/^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm)) {
      found.push({ file: relative(root, file), target: match[1] ?? match[2] ?? '' })
    }
  }
  return found
}

const packageOf = (target: string): string => target.split('/', target.startsWith('@') ? 2 : 1).join('/')

describe.each(Object.entries(allowed))('packages/%s', async (name, { packages, node }) => {
  const imports = await importsOf(`packages/${name}/src`)
  const manifest = JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
    peerDependencies?: Record<string, string>
  }

  it('imports only what it is allowed to', () => {
    const wrong = imports.filter(({ target }) => {
      if (target.startsWith('.')) return false
      if (target.startsWith('node:')) return !node
      return !packages.includes(packageOf(target))
    })
    expect(wrong).toEqual([])
    expect(imports.length).toBeGreaterThan(0)
  })

  it('depends on exactly that', () => {
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    expect(declared.toSorted()).toEqual(packages.toSorted())
  })

  it('never leaves its folder by a relative path', () => {
    const outside = imports.filter(
      ({ file, target }) => target.startsWith('.') && !join(dirname(file), target).startsWith(`packages/${name}/src/`),
    )
    expect(outside).toEqual([])
  })
})

describe('the rooms of packages/registry', async () => {
  const imports = await importsOf('packages/registry/src')
  const base = 'packages/registry/src/'

  it.each(Object.entries(rooms))('%s imports only from below', (room, below) => {
    const wrong = imports.filter(({ file, target }) => {
      if (!file.startsWith(`${base}${room}/`) || !target.startsWith('.')) return false
      const [to = ''] = join(dirname(file), target).slice(base.length).split('/')
      return to !== room && !below.includes(to)
    })
    expect(wrong).toEqual([])
  })

  it('has no room that this test does not know', () => {
    const seen = new Set(
      imports
        .map(({ file }) => file.slice(base.length))
        .filter((file) => file.includes('/'))
        .map((file) => file.split('/')[0]),
    )
    expect([...seen].toSorted()).toEqual(Object.keys(rooms).toSorted())
  })
})
