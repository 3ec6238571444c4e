import { blobs } from './blobs.ts'
import { catalog } from './catalog.ts'
import { manifests } from './manifests.ts'
import { ping } from './ping.ts'
import { referrers } from './referrers.ts'
import type { Operation, Operations, RepositoryCall } from './resource.ts'
import { type RouteId, routeTemplates } from './route.ts'
import { tags } from './tags.ts'
import { upload, uploads } from './uploads.ts'

/** A route either names a repository or it does not; the type of its call says which. */
export type Route =
  | { readonly scope: 'registry'; readonly operations: Operations }
  | { readonly scope: 'repository'; readonly operations: Operations<RepositoryCall> }

export const routes: Readonly<Record<RouteId, Route>> = {
  ping: { scope: 'registry', operations: ping },
  catalog: { scope: 'registry', operations: catalog },
  tags: { scope: 'repository', operations: tags },
  manifest: { scope: 'repository', operations: manifests },
  blob: { scope: 'repository', operations: blobs },
  uploads: { scope: 'repository', operations: uploads },
  upload: { scope: 'repository', operations: upload },
  referrers: { scope: 'repository', operations: referrers },
}

const actions: ReadonlySet<string> = new Set(['ping', 'list', 'pull', 'push', 'delete'])

/**
 * Stops the start when a method of a route does not say what it does: an operation that nobody authorised is how registries
 * leak. The compiler asks for it already; this holds for whoever got past the compiler.
 */
export const assertDeclared = (table: Readonly<Record<string, { operations: object }>>): void => {
  for (const [id, route] of Object.entries(table)) {
    for (const [method, operation] of Object.entries(route.operations) as [string, Partial<Operation>][]) {
      if (operation.action === undefined || !actions.has(operation.action)) {
        const template = id in routeTemplates ? routeTemplates[id as RouteId] : id
        throw new Error(`${method} ${template} declares no action; every operation must say what it needs.`)
      }
    }
  }
}
