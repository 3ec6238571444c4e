import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Product } from './product.ts'

/** A piece of the source, and what stands there instead. */
export interface Edit {
  /** Below `packages/registry/src`. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly find: string
  readonly replace: string
}

const root = join(import.meta.dirname, '..', '..')
const source = pathToFileURL(join(root, 'packages/registry/src/')).href

/** By a number in the query of the URLs of its modules, which end as those of files do: some look at their own. */
const mutants = new Map<string, readonly Edit[]>()
const stripped = new Map<string, string>()

const mutantOf = (url: string | undefined): string | undefined => {
  const mark = url?.indexOf('?mutant=') ?? -1
  return mark === -1 ? undefined : url?.slice(mark + '?mutant='.length, -'.ts'.length)
}

const plain = (path: string): string => {
  const known = stripped.get(path)
  if (known !== undefined) return known
  const code = stripTypeScriptTypes(readFileSync(path, 'utf8'))
  stripped.set(path, code)
  return code
}

const pathOf = (file: string): string => join(root, 'packages/registry/src', file)

/** Whether the source has what is to be edited, once. */
export const applies = ({ file, find }: Edit): boolean => readFileSync(pathOf(file), 'utf8').split(find).length === 2

const mutated = (path: string, edits: readonly Edit[]): string => {
  let text = readFileSync(path, 'utf8')
  for (const { find, replace } of edits) text = text.split(find).join(replace)
  return stripTypeScriptTypes(text)
}

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === '@stowage/oci') {
      return { url: pathToFileURL(join(root, 'packages/oci/src/index.ts')).href, shortCircuit: true }
    }
    const mutant = mutantOf(context.parentURL)
    const resolved = next(specifier, context)
    return mutant === undefined || !resolved.url.startsWith(source) || mutantOf(resolved.url) !== undefined
      ? resolved
      : { ...resolved, url: `${resolved.url}?mutant=${mutant}.ts` }
  },
  load: (url, context, next) => {
    const mutant = mutantOf(url)
    if (mutant === undefined) return next(url, context)
    const path = fileURLToPath(url)
    const edits = (mutants.get(mutant) ?? []).filter(({ file }) => path === pathOf(file))
    const code = edits.length > 0 ? mutated(path, edits) : plain(path)
    return { format: 'module', source: code, shortCircuit: true }
  },
})

let made = 0

/** A copy of the registry with its source edited, in modules of its own. */
export const mutantProduct = async (edits: readonly Edit[] = []): Promise<Product> => {
  made += 1
  mutants.set(String(made), edits)
  const load = async <Module>(path: string): Promise<Module> =>
    (await import(`${source}${path}?mutant=${made}.ts`)) as Module
  const registry = await load<Pick<Product, 'createRegistry'>>('registry.ts')
  const sqlite = await load<Pick<Product, 'sqliteMetadata'>>('metadata/sqlite/sqlite-metadata.ts')
  const blobs = await load<Pick<Product, 'memoryBlobs'>>('blobs/memory/memory-blobs.ts')
  const door = await load<Pick<Product, 'toNodeHandler'>>('doors/node.ts')
  const route = await load<Pick<Product, 'routeTemplates'>>('http/route.ts')
  const routes = await load<Pick<Product, 'routes'>>('http/routes.ts')
  return {
    createRegistry: registry.createRegistry,
    sqliteMetadata: sqlite.sqliteMetadata,
    memoryBlobs: blobs.memoryBlobs,
    toNodeHandler: door.toNodeHandler,
    routes: routes.routes,
    routeTemplates: route.routeTemplates,
  }
}
