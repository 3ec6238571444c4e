import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry, type Registry, type RegistryOptions } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'

/** A registry of one test's own, on a free port of the loopback address. */
export interface TestRegistry extends AsyncDisposable {
  readonly registry: Registry
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>`, as clients write it in references. */
  readonly host: string
}

/**
 * Starts a registry in memory, or with whatever options a test needs. Ends with the scope it was made in.
 *
 * @example await using registry = await createTestRegistry()
 */
export const createTestRegistry = async (options: Partial<RegistryOptions> = {}): Promise<TestRegistry> => {
  const registry = await createRegistry({ storage: ':memory:', ...options })
  const handler = toNodeHandler(registry)
  const server = createServer({ requestTimeout: 0, headersTimeout: 15_000 }, handler)
  server.on('checkContinue', handler.checkContinue)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    registry,
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
      await registry[Symbol.asyncDispose]()
    },
  }
}
