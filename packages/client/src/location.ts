import { isDigest, isTag, ParseError, parseReference } from '@stowage/oci'
import { ClientError } from './errors.ts'
import { canonicalRegistry, dockerHub } from './transport/hosts.ts'

/**
 * Where an image is, as a person writes it.
 *
 * | text | is |
 * |---|---|
 * | `alpine:3.20`, `ghcr.io/acme/app@sha256:…`, `docker://…` | a repository of a registry, by Docker's rules |
 * | `http://localhost:5000/app:v1` | the same, said to speak plain HTTP: to others than this machine without credentials |
 * | `ocidir:./images:v1`, `ocidir://…`, `oci:…` | an image layout in a directory |
 * | `oci-archive:app.tar:v1` | an image layout in a tar |
 * | `docker-archive:app.tar:acme/app:v1` | what `docker save` writes |
 * | `memory:name:v1` | memory of this process |
 *
 * A tag or `@digest` may follow each of them.
 */
export type Location = RegistryLocation | LocalLocation

/** An image, or a repository, of a registry. */
export interface RegistryLocation {
  readonly scheme: 'registry'
  /** In lower case; `docker.io` for all of Docker Hub's names. */
  readonly registry: string
  readonly repository: string
  /** A tag or a digest; undefined when the text has neither. A digest goes before a tag. */
  readonly reference: string | undefined
  /** Also when a digest goes before it. */
  readonly tag: string | undefined
  /** Said in the text by `http://` or `https://`. */
  readonly plainHttp: boolean | undefined
}

/** A place on this machine, or in this process. */
export interface LocalLocation {
  readonly scheme: LocalScheme
  readonly path: string
  /** A tag, a digest, or (in archives of Docker) a whole name; undefined when the text has none. */
  readonly reference: string | undefined
}

/** The places on this machine, by how they are written. */
export type LocalScheme = 'ocidir' | 'oci-archive' | 'docker-archive' | 'memory'

const schemes: Readonly<Record<string, LocalScheme>> = {
  ocidir: 'ocidir',
  oci: 'ocidir',
  'oci-archive': 'oci-archive',
  'docker-archive': 'docker-archive',
  memory: 'memory',
}

/** @throws {ClientError} `usage`, saying which part is wrong */
export const parseLocation = (text: string): Location => {
  if (typeof text !== 'string' || text === '') throw new ClientError('usage', 'The reference is empty.')
  const scheme = /^([a-z-]+):/.exec(text)?.[1] ?? ''
  const local = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined
  // `oci:v1` could be an image of Docker Hub's; who means that says docker.io/library/oci:v1.
  if (local !== undefined) return parseLocal(local, text.slice(scheme.length + 1).replace(/^\/\//, ''), text)
  const plainHttp = /^https?:\/\//.test(text) ? text.startsWith('http://') : undefined
  return parseRegistry(text.replace(/^(?:docker|https?):\/\//, ''), plainHttp)
}

const parseRegistry = (text: string, plainHttp: boolean | undefined): RegistryLocation => {
  try {
    const { registry: host = '', repository, tag, digest } = parseReference(text)
    const registry = canonicalRegistry(host)
    return {
      scheme: 'registry',
      registry,
      // Under whichever of its names, Docker Hub keeps what has no owner there.
      repository: registry === dockerHub && !repository.includes('/') ? `library/${repository}` : repository,
      reference: digest ?? tag,
      tag,
      plainHttp,
    }
  } catch (error) {
    if (error instanceof ParseError) throw new ClientError('usage', error.message, { cause: error })
    throw error
  }
}

/**
 * A registry without a repository: `ghcr.io`, `http://localhost:5000`; what stands behind a slash is left out.
 *
 * @throws {ClientError} `usage`
 */
export const parseRegistryName = (text: string): RegistryLocation => {
  const [, scheme = '', host = ''] = /^((?:docker|https?):\/\/)?([^/]*)/.exec(text) ?? []
  const location = parseLocation(`${scheme}${host}/x`)
  // Without a dot or a port it would be a name at Docker Hub, and somebody else would be asked.
  if (location.scheme === 'registry' && location.registry === canonicalRegistry(host)) return location
  throw new ClientError('usage', `${JSON.stringify(text)} is not a registry.`, {
    hint: 'Write its host, with a dot or a port in it: registry.example, localhost:5000.',
  })
}

const parseLocal = (scheme: LocalScheme, rest: string, text: string): LocalLocation => {
  const at = rest.lastIndexOf('@')
  const digest = at === -1 ? '' : rest.slice(at + 1)
  const [named, pinned] = isDigest(digest) ? [rest.slice(0, at), digest] : [rest, undefined]
  const { path, reference } = scheme === 'docker-archive' ? splitFirst(named) : splitLast(named)
  if (path === '') throw new ClientError('usage', `${JSON.stringify(text)} has no path behind ${scheme}:.`)
  // As in registries, a digest goes before a tag.
  return { scheme, path, reference: pinned ?? reference }
}

/** `path:tag`, where what follows the last colon is a tag: of a path that goes on behind it, it is none. */
const splitLast = (text: string): { path: string; reference: string | undefined } => {
  const colon = text.lastIndexOf(':')
  if (colon === -1 || !isTag(text.slice(colon + 1))) return { path: text, reference: undefined }
  return { path: text.slice(0, colon), reference: text.slice(colon + 1) }
}

/** `path[:name[:tag]]`: names have colons of their own. A letter before the first one may be a drive of Windows. */
const splitFirst = (text: string): { path: string; reference: string | undefined } => {
  const colon = text.indexOf(':', /^[A-Za-z]:[\\/]/.test(text) ? 2 : 0)
  if (colon === -1) return { path: text, reference: undefined }
  return { path: text.slice(0, colon), reference: text.slice(colon + 1) || undefined }
}

/** As it is written, without what is said of plain HTTP. */
export const formatLocation = (location: Location): string => {
  const { reference } = location
  const end = reference === undefined ? '' : isDigest(reference) ? `@${reference}` : `:${reference}`
  return location.scheme === 'registry'
    ? `${location.registry}/${location.repository}${end}`
    : `${location.scheme}:${location.path}${end}`
}
