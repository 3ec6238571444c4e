import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startExample } from '../test/runtimes/example-server.ts'
import { exercise } from '../test/runtimes/exercise.ts'
import { send } from '../test/runtimes/http-client.ts'

/** Every example for Node, and what it answers beside the registry. `test/runtimes/bun.ts` runs the one for Bun. */
const examples = [
  { name: 'node', others: undefined },
  { name: 'express', others: 'An Express application with a registry at /v2/.' },
  { name: 'fastify', others: 'A Fastify application with a registry at /v2/.' },
  { name: 'hono', others: 'A Hono application with a registry at /v2/.' },
  { name: 'fetch', others: undefined },
] as const

describe.each(examples)('examples/$name', ({ name, others }) => {
  it('is pushed to and pulled from, and ends when told to', async ({ signal }) => {
    const directory = await mkdtemp(join(tmpdir(), `stowage-example-${name}-`))
    try {
      const node = [process.execPath, '--conditions=@stowage/source'] as const
      await using server = await startExample(name, node, directory, signal)
      await exercise(server.url, async (step, body) => {
        try {
          await body()
        } catch (error) {
          throw new Error(`${step}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
        }
      })
      if (others !== undefined) expect(String((await send(server.url, 'GET', '/')).body)).toBe(others)
      if (name === 'fetch') {
        const greeting = await send(server.url, 'GET', '/v2/hello/manifests/latest')
        expect(JSON.parse(String(greeting.body))).toMatchObject({ artifactType: 'application/vnd.example.greeting' })
      }
      expect(await server.stop(), await server.output()).toBe(0)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
