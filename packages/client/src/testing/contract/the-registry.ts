import { expect, it, describe } from 'vitest'
import { collect } from '../../content/pages.ts'
import { putSample, sampleImage } from '../sample-images.ts'
import type { Contract } from './contract.ts'

/** A registry as a whole. */
export const registryContract = (contract: Contract): void => {
  describe('the registry', () => {
    it('answers, and lists its repositories', async () => {
      const registry = contract.client().registry(contract.place().registry)
      await registry.ping()
      const repositories = [contract.repository(), contract.repository(), contract.repository()]
      for (const repository of repositories) await putSample(repository, sampleImage(), 'v1')
      const names = repositories.map(({ repository }) => repository.name)
      expect(await collect(registry.repositories())).toEqual(expect.arrayContaining(names))
      const pages = await collect(registry.repositories({ pageSize: 1 }).pages())
      expect(pages.length).toBeGreaterThanOrEqual(3)
      expect(pages.every(({ items }) => items.length <= 1)).toBe(true)
      const [first = ''] = names
      expect(await collect(registry.repositories({ last: first }))).not.toContain(first)
    })

    it('is spoken to by the transport, too', async () => {
      const repository = contract.repository()
      const answer = await contract.client().transport.call({
        registry: contract.place().registry,
        repository: undefined,
        scopes: [],
        method: 'GET',
        target: `/v2/${repository.repository.name}/tags/list`,
        expect: [200, 404],
        subject: 'a test',
      })
      expect(answer.status).toBe(404)
      await answer.discard()
    })
  })
}
