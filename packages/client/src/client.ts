import type { Descriptor, HashFactory } from '@stowage/oci'
import type { CallOptions, Source, Target } from './content/ports.ts'
import { copy } from './copy/copy.ts'
import type { CopyJob, CopyOptions } from './copy/options.ts'
import type { CredentialSource } from './credentials/credential.ts'
import { ClientError } from './errors.ts'
import { defaultHash } from './hash.ts'
import { type Location, type LocalLocation, parseLocation } from './location.ts'
import { createMemoryTarget } from './memory/memory-target.ts'
import { openManifest, type OpenedManifest } from './opened.ts'
import { createRegistryClient, type RegistryClient } from './registry/registry.ts'
import { createRepository, type Repository } from './registry/repository.ts'
import { type Fetch, globalFetch, sendsStreams } from './transport/fetch.ts'
import { canonicalRegistry, checkHosts, type Hosts } from './transport/hosts.ts'
import { createTransport, type TraceEvent, type Transport } from './transport/transport.ts'
import type { RegistryWarning } from './transport/warnings.ts'
import { defaultUserAgent } from './version.ts'

export interface ClientOptions {
  /** Where credentials come from. Default: none; everything is asked for anonymously. */
  readonly credentials?: CredentialSource
  /** How registries are spoken to, by their names in references; `*` for all others. */
  readonly hosts?: Hosts
  /** Default: the global one. */
  readonly fetch?: Fetch
  /** Whether that `fetch` sends a `ReadableStream` while it is made. Default: yes, but not in browsers. */
  readonly sendsStreams?: boolean
  /** Default: the runtime's own, and in browsers one in JavaScript. */
  readonly hash?: HashFactory
  /** Default `stowage-client/<version>`. */
  readonly userAgent?: string
  /** Told of each `Warning` that a registry sends, once. */
  readonly onWarning?: (warning: RegistryWarning) => void
  /** Told of each request. Holds no secret. */
  readonly onTrace?: (event: TraceEvent) => void
  /** Opens what is on this machine: `@stowage/client/node` brings it. Default: only `memory:`. */
  readonly openLocal?: OpenLocal
}

/** `write` may make what is not there yet; `read` may not. */
export type OpenLocal = (
  location: LocalLocation,
  mode: 'read' | 'write',
  options: { readonly hash: HashFactory },
) => Promise<Target>

/** A source with the reference that was written behind it. */
export interface LocatedSource {
  readonly source: Source
  /** `latest` when a registry's text had none; empty elsewhere, which is the only image there. */
  readonly reference: string
}

export interface LocatedTarget {
  readonly target: Target
  readonly tags: readonly string[]
}

export interface ClientCopyOptions extends CopyOptions {
  /** Further names for it at the target. */
  readonly tags?: readonly string[]
}

/** Speaks to any number of registries. Hold on to it: it knows their tokens. */
export interface Client extends AsyncDisposable {
  registry(name: string): RegistryClient
  /** @param repository `ghcr.io/acme/app`; a tag behind it is left out. @throws {ClientError} `usage` */
  repository(repository: string): Repository
  /** Any place that can be read, by its text (see `parseLocation`). Dispose of it. */
  source(location: string): Promise<LocatedSource>
  /** Any place that can be written. Finish it, and dispose of it. */
  target(location: string): Promise<LocatedTarget>
  /** The descriptor of what is there. @throws {ClientError} `not-found` */
  resolve(location: string, options?: CallOptions): Promise<Descriptor>
  /** What is there: an image, an index or an artifact. For what is on this machine, read its blobs before the client is disposed of. */
  open(location: string, options?: CallOptions): Promise<OpenedManifest>
  /** From any place to any place. Begins at once; a target on this machine is finished with it. */
  copy(from: string, to: string, options?: ClientCopyOptions): CopyJob
  /** The one way requests go: for what has no method. */
  readonly transport: Transport
}

const known: ReadonlySet<string> = new Set([
  'credentials',
  'hosts',
  'fetch',
  'sendsStreams',
  'hash',
  'userAgent',
  'onWarning',
  'onTrace',
  'openLocal',
])

/** @throws {ClientError} `usage`, naming every option that is unknown or out of range */
export const createClient = (options: ClientOptions = {}): Client => {
  for (const key of Object.keys(options)) {
    if (!known.has(key)) throw new ClientError('usage', `${key} is not an option of createClient.`)
  }
  const { hosts = {}, hash = defaultHash } = options
  checkHosts(hosts)
  // Registries that a reference said to speak plain HTTP, by `http://`.
  const plain = new Map<string, Hosts[string]>()
  const transport = createTransport({
    hosts: (registry) => plain.get(registry) ?? hosts[registry] ?? hosts['*'] ?? {},
    fetch: options.fetch ?? globalFetch,
    sendsStreams: options.sendsStreams ?? sendsStreams,
    credentials: options.credentials ?? (() => undefined),
    userAgent: options.userAgent ?? defaultUserAgent,
    onWarning: options.onWarning ?? (() => {}),
    onTrace: options.onTrace ?? (() => {}),
  })
  const memories = new Map<string, Target>()
  const opened = new Set<Target>()

  const openLocal: OpenLocal = async (location, mode, local) => {
    if (location.scheme !== 'memory') {
      if (options.openLocal !== undefined) return options.openLocal(location, mode, local)
      throw new ClientError('unsupported', `${location.scheme}: is on a disk, and this client has none.`, {
        hint: 'Use createClient of @stowage/client/node.',
      })
    }
    const memory = memories.get(location.path) ?? createMemoryTarget(location.path, local)
    memories.set(location.path, memory)
    return memory
  }

  const repositoryAt = (registry: string, name: string): Repository => {
    const { mirrors } = transport.host(registry)
    const own = { registry, name }
    const readFrom = [...mirrors.map(({ registry: mirror, prefix }) => ({ registry: mirror, name: `${prefix}${name}` })), own]
    return createRepository({ transport, hash, own, readFrom })
  }

  const allowPlainHttp = (location: Location): void => {
    if (location.scheme !== 'registry' || location.plainHttp !== true || plain.has(location.registry)) return
    plain.set(location.registry, { ...(hosts[location.registry] ?? hosts['*']), plainHttp: true })
    transport.forget(location.registry)
  }

  /** What is in memory lives as long as the client. */
  const keepMemory = (source: Source): AsyncDisposable =>
    [...memories.values()].includes(source as Target) ? { [Symbol.asyncDispose]: async () => {} } : source

  const copyBetween = (
    openFrom: () => Promise<LocatedSource>,
    openTo: () => Promise<LocatedTarget>,
    copyOptions: ClientCopyOptions,
  ): CopyJob => {
    const started = Promise.withResolvers<CopyJob>()
    const result = (async () => {
      try {
        const { source, reference } = await openFrom()
        await using _source = keepMemory(source)
        const { target, tags } = await openTo()
        await using _target = keepMemory(target)
        const { tags: further = [], ...rest } = copyOptions
        const job = copy({ source, reference }, { target, tags: [...new Set([...tags, ...further])] }, rest)
        started.resolve(job)
        const done = await job.result
        await target.finish(rest.signal === undefined ? {} : { signal: rest.signal })
        return done
      } catch (error) {
        started.reject(error)
        throw error
      }
    })()
    // Who listens to the events only, or to nothing, is told by those, or not at all.
    result.catch(() => {})
    started.promise.catch(() => {})
    return {
      result,
      async *[Symbol.asyncIterator]() {
        yield* await started.promise
        // What comes after the last event, an archive being written, can fail as well.
        await result
      },
    }
  }

  const client: Client = {
    transport,
    registry(name) {
      const location = parseLocation(/\/./.test(name.replace(/^https?:\/\//, '')) ? name : `${name.replace(/\/$/, '')}/x`)
      allowPlainHttp(location)
      if (location.scheme !== 'registry') throw new ClientError('usage', `${JSON.stringify(name)} is not a registry.`)
      return createRegistryClient(transport, canonicalRegistry(location.registry))
    },
    repository(text) {
      const location = parseLocation(text)
      if (location.scheme !== 'registry') throw new ClientError('usage', `${JSON.stringify(text)} is not in a registry.`)
      allowPlainHttp(location)
      return repositoryAt(location.registry, location.repository)
    },
    async source(text) {
      const location = parseLocation(text)
      if (location.scheme === 'registry') {
        return { source: client.repository(text), reference: location.reference ?? 'latest' }
      }
      return { source: await openLocal(location, 'read', { hash }), reference: location.reference ?? '' }
    },
    async target(text) {
      const location = parseLocation(text)
      const tags = tagsOf(location)
      if (location.scheme === 'registry') return { target: client.repository(text), tags }
      return { target: await openLocal(location, 'write', { hash }), tags }
    },
    async resolve(text, call) {
      const { source, reference } = await client.source(text)
      await using _closed = keepMemory(source)
      return source.resolve(reference, call)
    },
    async open(text, call) {
      const { source, reference } = await client.source(text)
      if (source.repository === undefined) opened.add(source as Target)
      return openManifest(source, reference, call)
    },
    copy(from, to, copyOptions = {}) {
      // Wrong texts are told at once, before anything is opened.
      parseLocation(from)
      parseLocation(to)
      return copyBetween(
        async () => client.source(from),
        async () => client.target(to),
        { hash, ...copyOptions },
      )
    },
    async [Symbol.asyncDispose]() {
      for (const target of [...opened, ...memories.values()]) await target[Symbol.asyncDispose]()
      opened.clear()
      memories.clear()
    },
  }
  return client
}

/** Docker's rule: what has neither tag nor digest is `latest`. What is pushed by digest gets no name. */
const tagsOf = (location: Location): readonly string[] => {
  if (location.scheme !== 'registry') return location.reference === undefined ? [] : [location.reference]
  if (location.tag !== undefined) return [location.tag]
  return location.reference === undefined ? ['latest'] : []
}
