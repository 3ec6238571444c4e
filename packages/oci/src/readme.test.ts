import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const readme = await readFile(`${import.meta.dirname}/../README.md`, 'utf8')
const samples = [...readme.matchAll(/^## (.+)$|^```ts\n([^]*?)^```$/gm)].reduce<{ title: string; code: string }[]>(
  (found, [, heading, code]) => {
    const title = heading ?? found.at(-1)?.title ?? ''
    return heading === undefined ? [...found, { title, code: code ?? '' }] : [...found, { title, code: '' }]
  },
  [],
)
const withCode = samples.filter(({ code }) => code !== '')

/** `expression // => value` becomes a check that it is. */
const checked = (code: string): string =>
  `import { deepStrictEqual } from 'node:assert'\n${code
    .replaceAll(/^(?!const )(.+) \/\/ => (.+)$/gm, 'deepStrictEqual($1, $2)')
    .replaceAll("'@stowage/oci'", JSON.stringify(pathToFileURL(`${import.meta.dirname}/index.ts`).href))}`

test('the README has samples, and in them something to check', () => {
  expect(withCode.length).toBe(5)
  for (const { code } of withCode) expect(checked(code)).toMatch('deepStrictEqual(')
})

test.each(withCode)('$title', async ({ code }) => {
  const directory = await mkdtemp(join(tmpdir(), 'readme-'))
  try {
    const file = join(directory, 'sample.mjs')
    await writeFile(file, stripTypeScriptTypes(checked(code)))
    await import(pathToFileURL(file).href)
  } finally {
    await rm(directory, { recursive: true })
  }
})
