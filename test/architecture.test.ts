import { glob, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname

/** Everything a package may import besides its own files and `node:` modules. A new entry is a decision; say why in its commit. */
const allowed: Record<string, { packages: readonly string[]; node: boolean }> = {
  oci: { packages: [], node: false },
  registry: { packages: ['@stowage/oci', 'bcryptjs', 'jose', 'kysely', 'lru-cache', 'srvx'], node: true },
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

/** Inside a package data flows one way: a room may import only from the rooms named here (and from itself). */
const rooms: Record<string, Record<string, readonly string[]>> = {}

rooms['registry'] = {
  doors: ['http', 'registry.ts', 'options.ts'],
  http: ['access', 'accounts', 'content', 'events', 'limits', 'metadata', 'errors.ts', 'logger.ts'],
  content: ['access', 'blobs', 'metadata', 'errors.ts'],
  events: ['metadata', 'logger.ts'],
  upkeep: ['access', 'blobs', 'metadata', 'errors.ts', 'logger.ts'],
  accounts: ['access', 'limits', 'metadata', 'errors.ts', 'logger.ts'],
  limits: ['errors.ts'],
  access: ['errors.ts'],
  metadata: ['access'],
  blobs: [],
}

/** Words that every room of the client may use. */
const words = ['errors.ts', 'hash.ts', 'platform.ts', 'version.ts']

rooms['client'] = {
  node: [...words, 'artifact', 'client.ts', 'content', 'copy', 'credentials', 'layout', 'location.ts', 'transport'],
  sync: [...words, 'client.ts', 'content', 'copy', 'layout', 'location.ts'],
  artifact: [...words, 'content', 'copy', 'opened.ts'],
  inspect: [...words, 'content', 'copy', 'registry'],
  copy: [...words, 'content'],
  reggie: [...words, 'content', 'credentials', 'transport'],
  registry: [...words, 'content', 'transport'],
  transport: [...words, 'content', 'credentials'],
  memory: [...words, 'content', 'layout'],
  layout: [...words, 'content'],
  credentials: [...words, 'content'],
  content: [...words],
}

/** What runs in browsers: nothing that can be reached from these may import a `node:` module, or a package that does. */
const browserEntries = [
  'packages/client/src/index.ts',
  'packages/client/src/reggie/index.ts',
  'packages/oci/src/index.ts',
]
const browserPackages = ['@noble/hashes', '@stowage/oci']

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

describe.each(Object.entries(rooms))('the rooms of packages/%s', async (name, allowedRooms) => {
  const imports = await importsOf(`packages/${name}/src`)
  const base = `packages/${name}/src/`

  it.each(Object.entries(allowedRooms))('%s imports only from below', (room, below) => {
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
    expect([...seen].toSorted()).toEqual(Object.keys(allowedRooms).toSorted())
  })
})

describe('what runs in browsers', async () => {
  const imports = [...(await importsOf('packages/client/src')), ...(await importsOf('packages/oci/src'))]

  it.each(browserEntries)('%s reaches nothing of Node', (entry) => {
    const reached = new Set([entry])
    const foreign: Import[] = []
    // A set that grows while it is iterated gives what was added, too.
    for (const file of reached) {
      for (const found of imports.filter((one) => one.file === file)) {
        if (found.target.startsWith('.')) reached.add(join(dirname(file), found.target))
        else if (!browserPackages.includes(packageOf(found.target))) foreign.push(found)
      }
    }
    expect(foreign).toEqual([])
    expect(reached.size).toBeGreaterThan(10)
  })
})
