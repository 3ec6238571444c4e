import { RegistryError } from '../errors.ts'
import { json } from './exchange.ts'
import { nextLink, parsePage } from './paging.ts'
import type { Operation, Operations, RepositoryCall } from './resource.ts'

/** end-8a, end-8b. Tags in byte order ("ASCIIbetical"), paged by `n` and `last`. */
const list: Operation<RepositoryCall> = {
  action: 'pull',
  handle: async ({ query, grant, origin }, { metadata }) => {
    const { limit, last } = parsePage(query())
    const name = grant.repository
    // "When n is zero, this endpoint MUST return an empty list, and MUST NOT include a Link header."
    const found = await metadata.listTags({
      repository: name,
      limit: limit + 1,
      ...(last === undefined ? {} : { last }),
    })
    if (found === undefined) {
      throw new RegistryError('name-unknown', 'This registry has no such repository. A first push creates it.', {
        detail: { name },
      })
    }
    const tags = found.slice(0, limit)
    const lastTag = tags.at(-1)
    const more = found.length > limit && lastTag !== undefined
    return json(
      200,
      { name, tags },
      more ? { link: nextLink(`${origin}/v2/${name}/tags/list`, { n: String(limit), last: lastTag }) } : {},
    )
  },
}

export const tags: Operations<RepositoryCall> = { GET: list, HEAD: list }
