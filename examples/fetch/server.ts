/**
 * A registry without any framework: `registry.fetch` takes a web-standard `Request` and gives a `Response`, so it goes wherever
 * such a function goes (Deno.serve, route handlers of Next, SvelteKit, Astro…), here into the plain server of @hono/node-server.
 * And it needs no server at all: the program pushes a first artifact to itself before it listens.
 *
 * Run it from the root of the repository (`npm run build` once before):
 *
 *   node examples/fetch/server.ts 5000
 *   curl http://127.0.0.1:5000/v2/hello/manifests/latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createRegistry } from '@stowage/registry'

await using registry = await createRegistry({ storage: './data' })

// An artifact whose whole content is its annotations. OCI asks for a config: the empty one, which has a digest of its own.
const emptyDigest = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: emptyDigest, size: 2 }
const mediaType = 'application/vnd.oci.image.manifest.v1+json'
await push('POST', `blobs/uploads/?digest=${emptyDigest}`, '{}', 'application/octet-stream')
await push(
  'PUT',
  'manifests/latest',
  JSON.stringify({
    schemaVersion: 2,
    mediaType,
    artifactType: 'application/vnd.example.greeting',
    config: empty,
    layers: [empty],
    annotations: { 'org.opencontainers.image.description': 'Hello.' },
  }),
  mediaType,
)

const server = serve({
  fetch: registry.fetch,
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

/** The host in the URL is nobody's: nothing leaves the process. */
async function push(method: string, path: string, body: string, type: string): Promise<void> {
  const request = new Request(`http://registry.invalid/v2/hello/${path}`, {
    method,
    body,
    headers: { 'content-type': type },
  })
  const response = await registry.fetch(request)
  if (response.status !== 201) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}
