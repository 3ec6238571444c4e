import { createRegistry, memoryBlobs, sqliteMetadata } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { routeTemplates } from '../../packages/registry/src/http/route.ts'
import { routes } from '../../packages/registry/src/http/routes.ts'
import type { Product } from './product.ts'

/** The registry as it is. */
export const product: Product = { createRegistry, sqliteMetadata, memoryBlobs, toNodeHandler, routes, routeTemplates }
