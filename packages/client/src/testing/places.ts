import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestRegistry } from '@stowage/testkit'
import type { Target } from '../content/ports.ts'
import { createClient } from '../client.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { openLayout } from '../node/layout/open-layout.ts'
import type { Fetch } from '../transport/fetch.ts'

/** An empty place of one test's own. */
export interface TestPlace extends AsyncDisposable {
  readonly target: Target
}

/** Every kind of place that images and artifacts can be put to, and read from again. */
export const places: readonly { readonly name: string; readonly open: () => Promise<TestPlace> }[] = [
  {
    name: 'memory',
    open: async () => {
      const target = createMemoryTarget()
      return { target, [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]() }
    },
  },
  {
    name: 'a registry in process',
    open: async () => {
      const registry = await createTestRegistry()
      const fetch = registry.registry.fetch as unknown as (request: Request) => ReturnType<Fetch>
      const client = createClient({
        hosts: { 'registry.test': { plainHttp: true } },
        fetch: async (url, init) => fetch(new Request(url, init)),
      })
      return {
        target: client.repository('registry.test/app'),
        [Symbol.asyncDispose]: async () => {
          await client[Symbol.asyncDispose]()
          await registry[Symbol.asyncDispose]()
        },
      }
    },
  },
  {
    name: 'a registry over a socket',
    open: async () => {
      const registry = await createTestRegistry()
      const client = createClient({ hosts: { [registry.host]: { plainHttp: true } } })
      return {
        target: client.repository(`${registry.host}/app`),
        [Symbol.asyncDispose]: async () => {
          await client[Symbol.asyncDispose]()
          await registry[Symbol.asyncDispose]()
        },
      }
    },
  },
  {
    name: 'a layout',
    open: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'stowage-places-'))
      const target = await openLayout(directory, { create: true })
      return {
        target,
        [Symbol.asyncDispose]: async () => {
          await target[Symbol.asyncDispose]()
          await rm(directory, { recursive: true, force: true })
        },
      }
    },
  },
]
