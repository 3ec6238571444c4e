import { isTag } from '@stowage/oci'
import type { Pages } from '../content/pages.ts'
import type { TagsOptions } from '../content/ports.ts'
import { ClientError } from '../errors.ts'
import { pullScope } from '../transport/scopes.ts'
import type { Call } from '../transport/transport.ts'
import { linkedPages } from './links.ts'
import { callOptions, describePlace, type Place, readAny, type RepositoryContext } from './place.ts'

const defaultPageSize = 1000

/** end-8a, end-8b. What a registry lists that is no tag is left out: it could not be asked for. */
export const listTags = (context: RepositoryContext, options: TagsOptions = {}): Pages<string> => {
  const { last, pageSize = defaultPageSize } = options
  const subject = describePlace(context.own)
  // Links lead on in the registry that sent them.
  let from = context
  return linkedPages({
    subject,
    ask: async (next, read) => {
      const build = ({ registry, name }: Place): Call => ({
        registry,
        repository: name,
        scopes: [pullScope(name)],
        method: 'GET',
        target: next ?? `/v2/${name}/tags/list`,
        query: next === undefined ? { n: String(pageSize), ...(last === undefined ? {} : { last }) } : {},
        expect: [200],
        subject,
        ...callOptions(options),
      })
      return readAny(from, build, async (answer, place) => {
        const page = await read(answer)
        from = { ...context, readFrom: [place] }
        return page
      })
    },
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
