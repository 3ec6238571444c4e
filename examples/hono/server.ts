/**
 * A registry in a Hono application on Node. The one line that mounts it is the same on every runtime Hono knows; how the
 * registry gets at Node's own streams instead is in `docs/embedding.md`.
 *
 * Run it from the root of the repository (`npm run build` once before):
 *
 *   node examples/hono/server.ts 5000
 *   docker push 127.0.0.1:5000/hello:latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createRegistry } from '@stowage/registry'
import { Hono } from 'hono'

await using registry = await createRegistry({ storage: './data' })

const app = new Hono()
app.all('/v2/*', async (context) => registry.fetch(context.req.raw))
app.get('/', (context) => context.text('A Hono application with a registry at /v2/.'))

const server = serve({
  fetch: app.fetch,
  hostname: '127.0.0.1',
  port: Number(process.argv[2] ?? 5000),
  // Node ends every request after 300 s unless told otherwise.
  serverOptions: { requestTimeout: 0 },
})
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
server.close()
if ('closeAllConnections' in server) server.closeAllConnections()
