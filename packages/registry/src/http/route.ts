import { RegistryError } from '../errors.ts'

/** Where tokens are given, in front of it what the host mounted the registry under. */
export const tokenPath = '/auth/token'

/** The routes of the distribution API, and the one of tokens, named as logs and metrics show them. */
export const routeTemplates = {
  ping: '/v2/',
  catalog: '/v2/_catalog',
  tags: '/v2/<name>/tags/list',
  manifest: '/v2/<name>/manifests/<reference>',
  blob: '/v2/<name>/blobs/<digest>',
  uploads: '/v2/<name>/blobs/uploads/',
  upload: '/v2/<name>/blobs/uploads/<id>',
  referrers: '/v2/<name>/referrers/<digest>',
  token: tokenPath,
} as const

export type RouteId = keyof typeof routeTemplates

/** A path that was understood. `name` is unchecked: the resource validates it. */
export interface RouteMatch {
  readonly route: RouteId
  readonly name: string
  /** The last segment: a tag or digest, a digest, an upload id; empty where the route has none. */
  readonly last: string
}

const noName = { name: '', last: '' } as const

/**
 * Whether a path is the registry's to answer, be it with a 404; all others are the host's.
 *
 * @param givesTokens Whether there is a token endpoint.
 */
export const isRegistryPath = (path: string, givesTokens: boolean): boolean =>
  path === '/v2' || path.startsWith('/v2/') || (givesTokens && isTokenPath(path))

const isTokenPath = (path: string): boolean => path === tokenPath || path === `${tokenPath}/`

/**
 * Matches a path from the right: repository names contain `/`, and any word may be a component of one
 * (`a/tags/list/blobs/uploads` is a repository like another), so only the last fixed segments decide.
 * One trailing slash is accepted on every route, without a redirect: a redirect turns POST into GET in many clients.
 *
 * @param path Path of the request target, without query.
 * @returns undefined when no route has this shape.
 */
export const matchRoute = (path: string): RouteMatch | undefined => {
  if (!path.startsWith('/v2')) return isTokenPath(path) ? { route: 'token', ...noName } : undefined
  const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length
  if (end === 3) return { route: 'ping', ...noName }
  if (path.charCodeAt(3) !== SLASH) return undefined

  const lastSlash = path.lastIndexOf('/', end - 1)
  const last = path.slice(lastSlash + 1, end)
  if (lastSlash === 3) return last === '_catalog' ? { route: 'catalog', ...noName } : undefined

  const secondSlash = path.lastIndexOf('/', lastSlash - 1)
  const second = path.slice(secondSlash + 1, lastSlash)
  // Everything between `/v2/` and the fixed segments.
  const name = secondSlash > 4 ? path.slice(4, secondSlash) : ''

  if (name !== '') {
    switch (second) {
      case 'tags':
        if (last === 'list') return { route: 'tags', name, last: '' }
        break
      case 'manifests':
        return { route: 'manifest', name, last: decodeColon(last) }
      case 'referrers':
        return { route: 'referrers', name, last: decodeColon(last) }
      case 'blobs':
        if (last === 'uploads') return { route: 'uploads', name, last: '' }
        return { route: 'blob', name, last: decodeColon(last) }
      case 'uploads': {
        if (!name.endsWith('/blobs')) break
        const repository = name.slice(0, -'/blobs'.length)
        return { route: 'upload', name: repository, last }
      }
    }
  }
  return undefined
}

const SLASH = 0x2f

/** `:` is the one character of a digest that some clients percent-encode; nothing else may be encoded in a path. */
const decodeColon = (segment: string): string => (segment.includes('%') ? segment.replace(/%3[Aa]/, ':') : segment)

/**
 * Takes the path and query out of a request target, or refuses it.
 *
 * A target that a URL parser would change (`//`, `/./`, `/../`, `\`, encoded characters) is refused, so that what was
 * authorised and what is read can never be two repositories. RFC 9112 section 3.2: a server must accept absolute-form.
 */
export const splitTarget = (target: string): { path: string; query: string } => {
  let rest = target
  if (rest.charCodeAt(0) !== SLASH) {
    const absolute = /^https?:\/\/[^/?#\\]*(?=[/?]|$)/i.exec(rest)
    if (absolute === null) throw refused('The request target is neither a path nor an http URL.')
    rest = rest.slice(absolute[0].length)
    if (rest.charCodeAt(0) !== SLASH) rest = `/${rest}`
  }
  const mark = rest.indexOf('?')
  const path = mark === -1 ? rest : rest.slice(0, mark)
  if (!isPlain(path)) {
    throw refused(
      'The path contains characters that are never part of a repository name, tag or digest. ' +
        'Send it without percent-encoding, empty segments, dot segments or backslashes.',
    )
  }
  return { path, query: mark === -1 ? '' : rest.slice(mark + 1) }
}

const refused = (message: string): RegistryError => new RegistryError('target-invalid', message)

/** Linear in the length of the path; runs for every request. */
const isPlain = (path: string): boolean => {
  let previous = 0
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at)
    if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x23) return false
    if (code === SLASH && previous === SLASH) return false
    if (code === 0x25 && !(path[at + 1] === '3' && (path[at + 2] === 'A' || path[at + 2] === 'a'))) return false
    // A segment that begins with a dot is `.`, `..` or a name that no grammar allows.
    if (code === 0x2e && previous === SLASH) return false
    previous = code
  }
  return true
}
