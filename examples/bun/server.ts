/**
 * A registry on Bun's own server.
 *
 * Run it from the root of the repository (`npm run build` once before):
 *
 *   bun examples/bun/server.ts 5000
 *   docker push 127.0.0.1:5000/hello:latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import { createRegistry } from '@stowage/registry'

/** What is used of Bun's global, so that the example can be type-checked next to those for Node. */
declare const Bun: {
  serve(options: {
    readonly hostname: string
    readonly port: number
    readonly fetch: (request: Request) => Promise<Response>
    /** Bytes. */
    readonly maxRequestBodySize: number
    /** Seconds. */
    readonly idleTimeout: number
  }): { readonly url: URL; stop(closeActiveConnections: boolean): Promise<void> }
}

await using registry = await createRegistry({ storage: './data' })

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 5000),
  fetch: registry.fetch,
  // Bun answers 413 above 128 MiB and ends what is silent for 10 s unless told otherwise: layers are larger, disks are slower.
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 255,
})
console.log(server.url.origin)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await server.stop(true)
