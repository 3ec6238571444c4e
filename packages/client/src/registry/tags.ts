import { isTag } from '@stowage/oci'
import type { Pages } from '../content/pages.ts'
import type { TagsOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { pullScope } from '../transport/scopes.ts'
import { linkedPages } from './links.ts'
import { askAndRead, callOptions, describePlace, type RepositoryContext } from './place.ts'

const defaultPageSize = 1000

/** end-8a, end-8b. What a registry lists that is no tag is left out: it could not be asked for. */
export const listTags = ({ transport, own }: RepositoryContext, options: TagsOptions = {}): Pages<string> => {
  const { last, pageSize = defaultPageSize } = options
  const subject = describePlace(own)
  return linkedPages({
    subject,
    // The registry itself: a mirror lists what it has been asked for so far.
    ask: async (next, read) =>
      askAndRead(
        transport,
        {
          registry: own.registry,
          repository: own.name,
          scopes: [pullScope(own.name)],
          method: 'GET',
          target: next ?? `/v2/${own.name}/tags/list`,
          query: next === undefined ? { n: String(pageSize), ...(last === undefined ? {} : { last }) } : {},
          expect: [200],
          subject,
          ...callOptions(options),
        },
        read,
      ),
    items: (body) => {
      const tags = typeof body === 'object' && body !== null && 'tags' in body ? body.tags : undefined
      // Registries written in Go say null for no tags.
      if (tags === null) return []
      if (!Array.isArray(tags)) {
        throw new ClientError('invalid-response', `${subject}: the registry's list has no member "tags".`, { subject })
      }
      return tags.filter((tag): tag is string => typeof tag === 'string' && isTag(tag))
    },
  })
}
