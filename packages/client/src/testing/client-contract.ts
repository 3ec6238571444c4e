import { afterAll, beforeAll, describe } from 'vitest'
import type { Client } from '../client.ts'
import { blobContract } from './contract/blobs.ts'
import type { ClientPlace, Contract, PlaceFacts } from './contract/contract.ts'
import { copyContract } from './contract/copies.ts'
import { manifestContract } from './contract/manifests.ts'
import { referrersContract } from './contract/referrers.ts'
import { boundsContract } from './contract/stopping.ts'
import { registryContract } from './contract/the-registry.ts'
import { uploadContract } from './contract/uploads.ts'

/** Everything that a client does with a registry, whatever that is and however it is reached. */
export const clientContract = (name: string, facts: PlaceFacts, openPlace: () => Promise<ClientPlace>): void => {
  describe(name, () => {
    let place: ClientPlace
    let client: Client
    let count = 0
    const contract: Contract = {
      facts,
      place: () => place,
      client: () => client,
      repository: (of = client) => of.repository(`${place.registry}/test/r${++count}`),
    }

    beforeAll(async () => {
      place = await openPlace()
      client = place.connect()
    })

    afterAll(async () => {
      await client[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    })

    registryContract(contract)
    manifestContract(contract)
    blobContract(contract)
    uploadContract(contract)
    referrersContract(contract)
    copyContract(contract)
    boundsContract(contract)
  })
}
