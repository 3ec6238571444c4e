import { RegistryError } from '../errors.ts'

/** The most entries one page may have, whatever was asked; the rest follows by `Link`. */
export const maxPageSize = 1000

/**
 * Reads `n` and `last`.
 *
 * @returns `n` clamped to the maximum, and whether it was given at all.
 */
export const parsePage = (query: URLSearchParams): { limit: number; last: string | undefined } => {
  const given = query.getAll('n')
  const after = query.getAll('last')
  if (given.length > 1 || after.length > 1) {
    throw new RegistryError('query-invalid', 'The query has `n` or `last` more than once. Send each at most once.')
  }
  const [n] = given
  let limit = maxPageSize
  if (n !== undefined) {
    if (!/^\d{1,400}$/.test(n)) {
      throw new RegistryError('query-invalid', 'The query parameter `n` is not a whole number of 0 or more.', {
        detail: { n: n.slice(0, 64) },
      })
    }
    limit = Math.min(Number(n), maxPageSize)
  }
  return { limit, last: after[0] }
}

/** A `Link` to the next page (RFC 8288), relative to the origin like every location of ours. */
export const nextLink = (path: string, parameters: Record<string, string>): string => {
  const query = new URLSearchParams(parameters)
  return `<${path}?${query.toString()}>; rel="next"`
}
