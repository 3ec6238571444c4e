import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

/** The files that are loaded with this one, and the packages that they name. */
const reach = async (file: URL, seen = new Set<string>()): Promise<Set<string>> => {
  if (seen.has(file.href)) return seen
  seen.add(file.href)
  const code = await readFile(file, 'utf8')
  for (const [statement, target = ''] of code.matchAll(/^(?:import|export)\s[^'";]*?from\s'([^']+)'/gms)) {
    if (/^(?:import|export) type /.test(statement)) continue
    if (target.startsWith('.')) await reach(new URL(target, file), seen)
    else seen.add(target)
  }
  return seen
}

it('can be loaded in a browser', async () => {
  const all = [...(await reach(new URL('index.ts', import.meta.url)))]
  expect(all.filter((each) => each.startsWith('file:')).length).toBeGreaterThan(20)
  expect(all.filter((each) => !each.startsWith('file:')).filter((each) => !each.startsWith('@noble/'))).toEqual([
    '@stowage/oci',
  ])
})
