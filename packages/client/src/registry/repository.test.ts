import { createTestRegistry } from '@stowage/testkit'
import { createClient } from '../client.ts'
import { createNodeFetch } from '../node/node-fetch.ts'
import { clientContract } from '../testing/client-contract.ts'
import type { Fetch } from '../transport/fetch.ts'

const facts = { referrersApi: true, pagesTags: true }

clientContract('our registry, in process', facts, async () => {
  const served = await createTestRegistry()
  const fetch: Fetch = async (url, init) => served.registry.fetch(new Request(url, init))
  return {
    registry: 'registry.example',
    connect: (options) => createClient({ fetch, hosts: { 'registry.example': options ?? {} } }),
    [Symbol.asyncDispose]: async () => served[Symbol.asyncDispose](),
  }
})

clientContract('our registry, over a socket', facts, async () => {
  const served = await createTestRegistry()
  const { fetch, ...node } = createNodeFetch({ proxy: false })
  return {
    registry: served.host,
    connect: (options) =>
      createClient({ fetch, sendsStreams: true, hosts: { [served.host]: { plainHttp: true, ...options } } }),
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
})
