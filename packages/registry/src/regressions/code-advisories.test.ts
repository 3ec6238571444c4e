import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { doors } from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { routeTemplates } from '../http/route.ts'
import { routes } from '../http/routes.ts'
import { withAccounts } from '../testing/with-accounts.ts'

describe('T28, CVE-2022-47747: nothing of the tests is in what is used', () => {
  it('answers at these paths and at no others', async () => {
    expect(Object.keys(routes).toSorted()).toEqual(Object.keys(routeTemplates).toSorted())
    const [door] = doors
    if (door === undefined) throw new Error('the test kit has no door')
    await using registry = await withAccounts(door)
    const boss = await registry.user('boss', { administrator: true })
    for (const path of [
      '/',
      '/v1/',
      '/v2/_debug',
      '/v2/debug/pprof',
      '/debug/pprof/',
      '/debug/vars',
      '/v2/_test',
      '/test',
      '/api',
      '/api/v1/users',
      '/api/v2.0/users',
      '/v2/users',
      '/v2/auth/token',
      '/auth',
      '/auth/',
      '/auth/token/x',
      '/auth/register',
      '/admin',
      '/config',
      '/env',
      '/status',
      '/.env',
      '/.git/config',
      '/c/login',
      '/service/token',
      '/token',
      '/oauth2/token',
      '/swagger.json',
      '/openapi.json',
      '/graphql',
      '/server-status',
      '/actuator/env',
    ]) {
      // What begins with a dot is no name of anything.
      const status = path.includes('/.') ? 400 : 404
      expect([path, (await registry.as(boss).send('GET', path)).status]).toEqual([path, status])
    }
  })

  it('reaches no test and no tool of tests from what is packed', async () => {
    const root = join(import.meta.dirname, '..')
    const manifest = JSON.parse(await readFile(join(root, '../package.json'), 'utf8')) as {
      files: string[]
      exports: Record<string, string | { '@stowage/source': string }>
    }
    expect(manifest.files).toEqual(expect.arrayContaining(['!src/**/*.test.ts', '!src/testing']))
    const reached = new Set<string>()
    const visit = async (file: string): Promise<void> => {
      if (reached.has(file)) return
      reached.add(file)
      const code = await readFile(file, 'utf8')
      for (const [, target = ''] of code.matchAll(/(?:from\s+|import\()'(\.[^']+)'/g))
        await visit(join(dirname(file), target))
    }
    for (const entry of Object.values(manifest.exports)) {
      if (typeof entry !== 'string') await visit(join(root, '..', entry['@stowage/source']))
    }
    expect(reached.size).toBeGreaterThan(50)
    expect([...reached].filter((file) => /\.test\.ts$|\/testing\//.test(file))).toEqual([])
  })
})

describe('T19: no SQL is made of words', () => {
  it('in any statement', async () => {
    const root = join(import.meta.dirname, '../metadata')
    const found: string[] = []
    for (const file of await readdir(root, { recursive: true })) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file.includes('migrations/')) continue
      const code = await readFile(join(root, file), 'utf8')
      for (const [at] of code.matchAll(
        /\bsql\.raw\(|\.raw\(|\bsql\.(?:id|ref|table)\(|\b(?:exec|prepare)\(\s*[`'"][^`'"]*\$\{/g,
      )) {
        found.push(`${file}: ${at}`)
      }
    }
    // Those are of words of our own: the placeholders of a statement that was compiled, and the settings of SQLite.
    const known = [
      'statement.ts: sql.raw(',
      'sqlite/pragmas.ts: exec(`pragma ${name} = ${',
      'sqlite/pragmas.ts: prepare(`pragma ${',
    ]
    expect(found.toSorted()).toEqual(known.toSorted())
  })
})
