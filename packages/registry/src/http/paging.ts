import { RegistryError } from '../errors.ts'
import { single } from './parameters.ts'

/** The most entries one page may have, whatever was asked; the rest follows by `Link`. */
const maxPageSize = 1000

/**
 * Reads `n` and `last`.
 *
 * @returns `n` clamped to the maximum, which it is too when it was not given.
 */
export const parsePage = (query: URLSearchParams): { limit: number; last: string | undefined } => {
  const last = parseLast(query)
  const n = single(query, 'n')
  if (n === undefined) return { limit: maxPageSize, last }
  if (!/^\d{1,400}$/.test(n)) {
    throw new RegistryError('query-invalid', 'The query parameter `n` is not a whole number of 0 or more.', {
      detail: { n: n.slice(0, 64) },
    })
  }
  return { limit: Math.min(Number(n), maxPageSize), last }
}

/** Reads `last`. It need not exist, or be a name at all; only what PostgreSQL cannot take for text, or no name has, is refused. */
export const parseLast = (query: URLSearchParams): string | undefined => {
  const last = single(query, 'last')
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (last === undefined || !/[\u0000-\u001f\u007f]/.test(last)) return last
  throw new RegistryError('query-invalid', 'The query parameter `last` has control characters, which no name has.')
}

/** A `Link` to the next page (RFC 8288), relative to the origin like every location of ours. */
export const nextLink = (path: string, parameters: Record<string, string>): string => {
  const query = new URLSearchParams(parameters)
  return `<${path}?${query.toString()}>; rel="next"`
}
