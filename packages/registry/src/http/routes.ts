import { blobs } from './blobs.ts'
import { catalog } from './catalog.ts'
import { manifests } from './manifests.ts'
import { ping } from './ping.ts'
import { referrers } from './referrers.ts'
import type { OpenOperations, Operations, RepositoryCall } from './resource.ts'
import { type RouteId, routeTemplates } from './route.ts'
import { tags } from './tags.ts'
import { token } from './token.ts'
import { upload, uploads } from './uploads.ts'

/** A route names a repository, or the registry, or it is open to everybody; the type of its call says which. */
export type Route =
  | { readonly scope: 'registry'; readonly operations: Operations }
  | { readonly scope: 'repository'; readonly operations: Operations<RepositoryCall> }
  | { readonly scope: 'open'; readonly operations: OpenOperations }

export const routes: Readonly<Record<RouteId, Route>> = {
  ping: { scope: 'registry', operations: ping },
  catalog: { scope: 'registry', operations: catalog },
  tags: { scope: 'repository', operations: tags },
  manifest: { scope: 'repository', operations: manifests },
  blob: { scope: 'repository', operations: blobs },
  uploads: { scope: 'repository', operations: uploads },
  upload: { scope: 'repository', operations: upload },
  referrers: { scope: 'repository', operations: referrers },
  token: { scope: 'open', operations: token },
}

/** What the methods of a route may declare, by its scope. A route that is open says so of itself and of each method. */
const actionsOf: Readonly<Record<string, readonly unknown[]>> = {
  registry: ['ping', 'list'],
  repository: ['pull', 'push', 'delete'],
  open: ['open'],
}

/**
 * Stops the start when a method of a route does not say what it does: an operation that nobody authorised is how registries
 * leak. The compiler asks for it already; this holds for whoever got past the compiler.
 */
export const assertDeclared = (table: Readonly<Record<string, { scope?: string; operations: object }>>): void => {
  for (const [id, { scope = '', operations }] of Object.entries(table)) {
    const template = id in routeTemplates ? routeTemplates[id as RouteId] : id
    const actions = Object.hasOwn(actionsOf, scope) ? actionsOf[scope] : undefined
    if (actions === undefined) throw new Error(`${template} declares no scope; every route must say whom it asks.`)
    for (const [method, operation] of Object.entries(operations) as [string, { action?: unknown }][]) {
      if (!actions.includes(operation.action)) {
        throw new Error(
          `${method} ${template} declares no action of its scope; every operation must say what it needs.`,
        )
      }
    }
  }
}
