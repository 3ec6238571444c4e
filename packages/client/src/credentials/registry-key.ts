import { isRepositoryName } from '@stowage/oci'
import { ClientError } from '../errors.ts'
import type { CredentialRequest } from './credential.ts'

/** What credentials are kept for: a registry as a whole, or one namespace or repository of it. */
export interface RegistryKey {
  /** Host and port; `docker.io` for Docker Hub. */
  readonly registry: string
  /** `team`, `team/app`; empty for the registry as a whole. */
  readonly path: string
}

const hub = 'docker.io'
const hubHosts: ReadonlySet<string> = new Set([hub, 'index.docker.io', 'registry-1.docker.io'])

/** Names may have a `_`: those of containers do. No slash, no space, no `@`, no control character: helpers read lines. */
const host = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/

/**
 * What a key of a credential file stands for. Nothing is refused here: a key that is no name of a registry is not equal to any.
 *
 * `registry.example`, `registry.example:5000`, `https://registry.example`, `https://registry.example/v1/` and
 * `registry.example/v2/` stand for the registry, `registry.example/team` and `https://registry.example/team` for the namespace.
 * A port that is written is part of the name, even 443: Docker sees it so.
 */
export const readKey = (text: string): RegistryKey => {
  const scheme = /^https?:\/\//i.exec(text)?.[0] ?? ''
  const address = text.slice(scheme.length)
  const slash = address.indexOf('/')
  const name = (slash === -1 ? address : address.slice(0, slash)).toLowerCase()
  const path = slash === -1 ? '' : address.slice(slash + 1)
  // Without a scheme `v1` may be a namespace; `v1/` is the address that Docker wrote before there were namespaces.
  const isApi = path === 'v1/' || path === 'v2/' || (scheme !== '' && (path === 'v1' || path === 'v2'))
  return { registry: hubHosts.has(name) ? hub : name, path: isApi ? '' : path.replace(/\/$/, '') }
}

/**
 * What a caller names, checked.
 *
 * @throws {ClientError} `usage`
 */
export const parseKey = (text: string, what = 'The registry'): RegistryKey => {
  const key = readKey(text)
  if (!host.test(key.registry)) {
    throw new ClientError('usage', `${what} is not a host with an optional port.`, {
      hint: 'Write it like registry.example, registry.example:5000 or registry.example/team.',
    })
  }
  if (key.path !== '' && !isRepositoryName(key.path)) {
    throw new ClientError('usage', `${what} has something behind its host that is no namespace or repository.`, {
      subject: key.registry,
    })
  }
  return key
}

/** @throws {ClientError} `usage` */
export const keyOf = ({ registry, repository = '' }: CredentialRequest): RegistryKey =>
  parseKey(repository === '' ? registry : `${registry}/${repository}`)

/** Whether credentials kept for `key` may be shown to what `wanted` names: the same host, and the same path or one above it. */
export const covers = (key: RegistryKey, wanted: RegistryKey): boolean =>
  key.registry === wanted.registry &&
  (key.path === '' || key.path === wanted.path || wanted.path.startsWith(`${key.path}/`))

/** The key as messages and lists show it. Undefined if it is not a name: what it holds is nobody's business then. */
export const shownKey = (text: string): string | undefined => {
  const { registry, path } = readKey(text)
  if (!host.test(registry) || (path !== '' && !isRepositoryName(path))) return undefined
  return path === '' ? registry : `${registry}/${path}`
}

/** How Docker spells the key, in its file and to its helpers. */
export const dockerSpelling = ({ registry, path }: RegistryKey): string => {
  if (path !== '') return `${registry}/${path}`
  return registry === hub ? 'https://index.docker.io/v1/' : registry
}
