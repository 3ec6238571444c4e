/**
 * A registry on Node's own HTTP server, as fast as it gets: the registry reads the socket's stream and answers with files.
 *
 * Run it from the root of the repository (`npm run build` once before), then push something:
 *
 *   node examples/node/server.ts 5000
 *   docker push 127.0.0.1:5000/hello:latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'

await using registry = await createRegistry({ storage: './data' })

const handler = toNodeHandler(registry)
// Node ends every request after 300 s unless told otherwise: a layer on a slow line takes longer.
const server = createServer({ requestTimeout: 0 }, handler)
// A client that asks before it sends a large body is told to go on when it is known that it may push.
server.on('checkContinue', handler.checkContinue)

server.listen(Number(process.argv[2] ?? 5000), '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
server.close().closeAllConnections()
