import { isDigest, isTag, ParseError, parseReference } from '@stowage/oci'
import { ClientError } from './errors.ts'
import { canonicalRegistry } from './transport/hosts.ts'

/**
 * Where an image is, as a person writes it.
 *
 * | text | is |
 * |---|---|
 * | `alpine:3.20`, `ghcr.io/acme/app@sha256:…`, `docker://…` | a repository of a registry, by Docker's rules |
 * | `http://localhost:5000/app:v1` | the same, said to speak plain HTTP |
 * | `ocidir:./images:v1`, `ocidir://…`, `oci:…` | an image layout in a directory |
 * | `oci-archive:app.tar:v1` | an image layout in a tar |
 * | `docker-archive:app.tar:acme/app:v1` | what `docker save` writes |
 * | `memory:name:v1` | memory of this process |
 *
 * A tag or `@digest` may follow each of them.
 */
export type Location = RegistryLocation | LocalLocation

export interface RegistryLocation {
  readonly scheme: 'registry'
  /** `docker.io` for all of Docker Hub's names. */
  readonly registry: string
  readonly repository: string
  /** A tag or a digest; undefined when the text has neither. A digest goes before a tag. */
  readonly reference: string | undefined
  /** Also when a digest goes before it. */
  readonly tag: string | undefined
  /** Said in the text by `http://` or `https://`. */
  readonly plainHttp: boolean | undefined
}

export interface LocalLocation {
  readonly scheme: LocalScheme
  readonly path: string
  /** A tag, a digest, or (in archives of Docker) a whole name; undefined when the text has none. */
  readonly reference: string | undefined
}

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
    const { registry = '', repository, tag, digest } = parseReference(text)
    return {
      scheme: 'registry',
      registry: canonicalRegistry(registry),
      repository,
      reference: digest ?? tag,
      tag,
      plainHttp,
    }
  } catch (error) {
    if (error instanceof ParseError) throw new ClientError('usage', error.message, { cause: error })
    throw error
  }
}

const parseLocal = (scheme: LocalScheme, rest: string, text: string): LocalLocation => {
  const { path, reference } = scheme === 'docker-archive' ? splitFirst(rest) : splitLast(rest)
  if (path === '') throw new ClientError('usage', `${JSON.stringify(text)} has no path behind ${scheme}:.`)
  return { scheme, path, reference }
}

/** `path@sha256:…`, or `path:tag` where what follows the last colon is a tag and no path goes on behind it. */
const splitLast = (text: string): { path: string; reference: string | undefined } => {
  const at = text.lastIndexOf('@')
  if (at !== -1 && isDigest(text.slice(at + 1))) return { path: text.slice(0, at), reference: text.slice(at + 1) }
  const colon = text.lastIndexOf(':')
  // One letter before the colon is a drive of Windows.
  if (colon > 1 && isTag(text.slice(colon + 1))) {
    return { path: text.slice(0, colon), reference: text.slice(colon + 1) }
  }
  return { path: text, reference: undefined }
}

/** `path[:name[:tag]]`: names have colons of their own. */
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
