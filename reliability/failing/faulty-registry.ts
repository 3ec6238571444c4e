import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createRegistry, fileSystemBlobs, type Registry, sqliteMetadata } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { createFaultyFiles, type FaultyFiles } from './faulty-files.ts'

export interface FaultyRegistry extends AsyncDisposable {
  readonly url: string
  readonly registry: Registry
  readonly faults: FaultyFiles
  /** Lets time pass for the registry. */
  wait(milliseconds: number): void
}

/** A registry in this process over real files, behind a real socket. */
export const openFaultyRegistry = async (directory: string): Promise<FaultyRegistry> => {
  const faults = createFaultyFiles()
  let passed = 0
  const registry = await createRegistry({
    storage: {
      metadata: await sqliteMetadata({ path: join(directory, 'registry.db') }),
      blobs: await fileSystemBlobs({ root: directory }, faults.files),
    },
    now: () => Date.now() + passed,
  })
  const server = createServer(toNodeHandler(registry))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    registry,
    faults,
    wait: (milliseconds) => {
      passed += milliseconds
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await registry[Symbol.asyncDispose]()
    },
  }
}
