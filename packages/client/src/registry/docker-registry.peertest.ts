import { startDockerRegistry } from '../../../../test/peers/docker-registry.ts'
import { createClient } from '../client.ts'
import { createNodeFetch } from '../node/node-fetch.ts'
import { clientContract } from '../testing/client-contract.ts'

// No referrers API, so the tag stands in for it; and no way to delete a tag but by the digest of something that has it.
clientContract("Debian's docker-registry", { referrersApi: false, pagesTags: false }, async () => {
  const server = await startDockerRegistry()
  const { fetch, ...node } = createNodeFetch({ proxy: false })
  return {
    registry: server.host,
    connect: (options) =>
      createClient({ fetch, sendsStreams: true, hosts: { [server.host]: { plainHttp: true, ...options } } }),
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
})
