/** Which modules a browser would load, by walking what was built. */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

export interface Reachable {
  /** The files, entry included. */
  readonly files: readonly string[]
  /** What is imported by name, and a file that does so: `@stowage/oci`, `node:fs`. */
  readonly named: ReadonlyMap<string, string>
}

/** Follows every `import` and `export … from`, and `import()` of a text, that begins with a dot. @param entry A path. */
export const reachableFrom = async (entry: string): Promise<Reachable> => {
  const named = new Map<string, string>()
  const files = new Set<string>([entry])
  for (const file of files) {
    for (const target of importsOf(await readFile(file, 'utf8'))) {
      if (target.startsWith('.')) files.add(new URL(target, pathToFileURL(file)).pathname)
      else named.set(target, file)
    }
  }
  return { files: [...files], named }
}

const importsOf = (code: string): string[] =>
  [
    ...code.matchAll(/^\s*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm),
  ].map(([, named = '', called = '']) => named || called)
