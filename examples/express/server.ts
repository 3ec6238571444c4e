/**
 * A registry in an Express 5 application: middleware before every body parser, everything that is not `/v2` goes on to the
 * application.
 *
 * Run it from the root of the repository (`npm run build` once before):
 *
 *   node examples/express/server.ts 5000
 *   docker push 127.0.0.1:5000/hello:latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRegistry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import express from 'express'

await using registry = await createRegistry({ storage: './data' })

const app = express()
// Before any body parser: a parser reads the body, and then there is none left to store.
app.use(toNodeHandler(registry))
app.use(express.json())
app.get('/', (_request, response) => {
  response.send('An Express application with a registry at /v2/.')
})

// `app.listen` would leave Node's limit of 300 s a request in place.
const server = createServer({ requestTimeout: 0 }, app)
server.listen(Number(process.argv[2] ?? 5000), '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
server.close().closeAllConnections()
