/**
 * A registry in a Fastify 5 application, as a plugin: Fastify's body parsers and their limit stay in force everywhere else.
 *
 * Run it from the root of the repository (`npm run build` once before):
 *
 *   node examples/fastify/server.ts 5000
 *   docker push 127.0.0.1:5000/hello:latest
 *
 * Everything is kept in `./data`.
 */
import { once } from 'node:events'
import { createRegistry } from '@stowage/registry'
import { registryPlugin } from '@stowage/registry/fastify'
import fastify from 'fastify'

await using registry = await createRegistry({ storage: './data' })

const app = fastify({ forceCloseConnections: true })
app.register(registryPlugin, { registry })
app.get('/', () => 'A Fastify application with a registry at /v2/.')

console.log(await app.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 5000) }))

await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await app.close()
