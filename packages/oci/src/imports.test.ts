import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

/** Every module a source file names: imports, exports, side-effect imports, dynamic imports, require. */
const named = (source: string): string[] =>
  [...source.matchAll(/(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"`])([^'"`]*)\1/g)].map(([, , name]) => name ?? '')

test('the search finds every form of import', () => {
  const source = `import a from 'a'\nimport type { B } from "b"\nexport * from 'c'\nimport 'd'\nawait import('e')\nrequire('f')\nimport {\n g\n} from 'g'`
  expect(named(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
})

test('the package imports nothing but itself, so that it runs in a browser', async () => {
  const files = (await readdir(import.meta.dirname, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  )
  expect(files.length).toBeGreaterThan(20)
  for (const file of files) {
    const source = await readFile(`${import.meta.dirname}/${file}`, 'utf8')
    for (const name of named(source)) expect(`${file}: ${name}`).toMatch(/: \.\/[a-z0-9-]+\.ts$/)
    // What Node has and browsers have not.
    expect(`${file}: ${/\b(?:Buffer|process|__dirname|setImmediate)\b(?!['"`])/.exec(source)?.[0] ?? 'nothing'}`).toBe(
      `${file}: nothing`,
    )
  }
})

test('the package depends on nothing', async () => {
  const manifest: unknown = JSON.parse(await readFile(`${import.meta.dirname}/../package.json`, 'utf8'))
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
    expect(manifest).not.toHaveProperty(kind)
})
