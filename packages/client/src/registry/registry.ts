import { isRepositoryName } from '@stowage/oci'
import type { Pages } from '../content/pages.ts'
import type { CallOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { catalogScope } from '../transport/scopes.ts'
import type { Call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'
import { linkedPages } from './links.ts'
import { askAndRead } from './place.ts'

/** Where a list of repositories begins, and how it is paged. */
export interface RepositoriesOptions extends CallOptions {
  /** Repositories that come after this one. */
  readonly last?: string
  /** Entries of one page that are asked for; a registry may give fewer. */
  readonly pageSize?: number
}

/** A registry as a whole. */
export interface RegistryClient {
  /** The name in references. */
  readonly name: string
  /** end-1: whether it is a registry, and lets the caller in. @throws {ClientError} `unauthorized`, `network` … */
  ping(options?: CallOptions): Promise<void>
  /** `_catalog`, which the specification does not have and most registries do. */
  repositories(options?: RepositoriesOptions): Pages<string>
}

const defaultPageSize = 1000

export const createRegistryClient = (transport: Transport, name: string): RegistryClient => ({
  name,
  async ping({ signal, onRetry } = {}) {
    const answer = await transport.call({
      registry: name,
      repository: undefined,
      scopes: [],
      method: 'GET',
      target: '/v2/',
      expect: [200],
      subject: name,
      signal,
      onRetry,
    })
    await answer.discard()
  },
  repositories: ({ last, pageSize = defaultPageSize, signal, onRetry } = {}) =>
    linkedPages({
      subject: `the repositories of ${name}`,
      ask: async (next, read) => {
        const query = next === undefined ? { n: String(pageSize), ...(last === undefined ? {} : { last }) } : {}
        const call: Call = {
          registry: name,
          repository: undefined,
          scopes: [catalogScope],
          method: 'GET',
          target: next ?? '/v2/_catalog',
          query,
          expect: [200],
          subject: `the repositories of ${name}`,
          signal,
          onRetry,
        }
        return askAndRead(transport, call, read)
      },
      items: (body) => {
        const list = typeof body === 'object' && body !== null && 'repositories' in body ? body.repositories : undefined
        if (list === null) return []
        if (!Array.isArray(list)) {
          throw new ClientError('invalid-response', `${name}: the registry's answer has no member "repositories".`)
        }
        return list.filter((item): item is string => isRepositoryName(item))
      },
    }),
})
