import type { createRegistry, memoryBlobs, sqliteMetadata } from '@stowage/registry'
import type { toNodeHandler } from '@stowage/registry/node'
import type { routeTemplates } from '../../packages/registry/src/http/route.ts'
import type { routes } from '../../packages/registry/src/http/routes.ts'

/**
 * The code under proof, as values: the matrix runs on the registry as it is, and on copies of it with one rule dropped, so
 * nothing here imports the registry itself.
 */
export interface Product {
  readonly createRegistry: typeof createRegistry
  readonly sqliteMetadata: typeof sqliteMetadata
  readonly memoryBlobs: typeof memoryBlobs
  readonly toNodeHandler: typeof toNodeHandler
  readonly routes: typeof routes
  readonly routeTemplates: typeof routeTemplates
}
