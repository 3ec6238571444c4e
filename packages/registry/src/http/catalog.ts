import { json } from './exchange.ts'
import { nextLink, parsePage } from './paging.ts'
import type { Operation, Operations } from './resource.ts'

/** `_catalog` of the Docker Registry HTTP API: names of repositories, as far as the caller may pull them. */
const list: Operation = {
  action: 'list',
  handle: async ({ query, principal, origin }, { metadata, access }) => {
    const { limit, last } = parsePage(query())
    if (limit === 0) return json(200, { repositories: [] })
    const names = await metadata.listRepositories({
      visible: await access.visible(principal, 'list'),
      limit: limit + 1,
      ...(last === undefined ? {} : { last }),
    })
    const repositories = names.slice(0, limit)
    const lastName = repositories.at(-1)
    const more = names.length > limit && lastName !== undefined
    return json(
      200,
      { repositories },
      more ? { link: nextLink(`${origin}/v2/_catalog`, { n: String(limit), last: lastName }) } : {},
    )
  },
}

export const catalog: Operations = { GET: list, HEAD: list }
