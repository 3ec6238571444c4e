import { type Descriptor, type HashFactory, isDigest } from '@stowage/oci'
import type { CallOptions, ResolveOptions, Source, Target } from './content/ports.ts'
import { checkCopyOptions } from './copy/check-options.ts'
import { copy } from './copy/copy.ts'
import { toJob } from './copy/job.ts'
import type { CopyJob, CopyOptions } from './copy/options.ts'
import type { CredentialSource } from './credentials/credential.ts'
import { ClientError } from './errors.ts'
import { defaultHash } from './hash.ts'
import {
  type LocalLocation,
  type Location,
  parseLocation,
  parseRegistryName,
  type RegistryLocation,
} from './location.ts'
import { createMemoryTarget } from './memory/memory-target.ts'
import { closedBy, openManifest, type OpenedManifest } from './opened.ts'
import { createRegistryClient, type RegistryClient } from './registry/registry.ts'
import { createRepository, type Repository } from './registry/repository.ts'
import { checkHosts } from './transport/check-hosts.ts'
import { type Fetch, globalFetch, sendsStreams } from './transport/fetch.ts'
import { canonicalRegistry, type Hosts } from './transport/hosts.ts'
import type { TraceEvent } from './transport/call.ts'
import type { Transport } from './transport/transport.ts'
import { createTransports } from './transport/transports.ts'
import type { RegistryWarning } from './transport/warnings.ts'
import { defaultUserAgent } from './version.ts'

/** What a client is made of. Everything has a default; an unknown key is an error. */
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

/** A target with the tags that were written behind it. */
export interface LocatedTarget {
  readonly target: Target
  readonly tags: readonly string[]
}

/** What `client.copy` takes besides what `copy` takes. */
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
  resolve(location: string, options?: ResolveOptions): Promise<Descriptor>
  /**
   * What is there: an image, an index or an artifact. Dispose of it when its blobs were read: what is on this machine is kept
   * open until then, or until the client is disposed of.
   */
  open(location: string, options?: CallOptions): Promise<OpenedManifest>
  /** From any place to any place. Begins at once; a target on this machine is finished with it. */
  copy(from: string, to: string, options?: ClientCopyOptions): CopyJob
  /** The one way requests go: for what has no method. */
  readonly transport: Transport
}

const kinds: Readonly<Record<keyof ClientOptions, 'function' | 'object' | 'boolean' | 'string'>> = {
  credentials: 'function',
  hosts: 'object',
  fetch: 'function',
  sendsStreams: 'boolean',
  hash: 'function',
  userAgent: 'string',
  onWarning: 'function',
  onTrace: 'function',
  openLocal: 'function',
}

const checkOptions = (options: ClientOptions): void => {
  const problems = Object.entries(options).flatMap(([key, value]) => {
    if (!Object.hasOwn(kinds, key)) return [`${key} is not an option; there are ${Object.keys(kinds).join(', ')}`]
    const kind = kinds[key as keyof ClientOptions]
    return value === undefined || typeof value === kind ? [] : [`${key} must be a ${kind}`]
  })
  if (problems.length > 0) throw new ClientError('usage', `The client cannot be made: ${problems.join('; ')}.`)
  checkHosts(options.hosts ?? {})
}

/** @throws {ClientError} `usage`, naming every option that is unknown or out of range */
export const createClient = (options: ClientOptions = {}): Client => {
  checkOptions(options)
  const { hosts = {}, hash = defaultHash } = options
  const named = new Map(Object.entries(hosts).map(([name, host]) => [canonicalRegistry(name), host]))
  const transports = createTransports({
    hosts: named,
    fetch: options.fetch ?? globalFetch,
    sendsStreams: options.sendsStreams ?? sendsStreams,
    credentials: options.credentials ?? (() => undefined),
    userAgent: options.userAgent ?? defaultUserAgent,
    onWarning: options.onWarning ?? (() => {}),
    onTrace: options.onTrace ?? (() => {}),
  })
  const transportTo = ({ registry, plainHttp }: RegistryLocation): Transport => transports.to(registry, plainHttp)
  const memories = new Map<string, Target>()
  const opened = new Set<Source>()

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

  const repositoryAt = (location: RegistryLocation): Repository => {
    const { registry, repository: name } = location
    const way = transportTo(location)
    const own = { registry, name }
    const mirrors = way.host(registry).mirrors.map((mirror) => ({
      registry: mirror.registry,
      name: `${mirror.prefix}${name}`,
    }))
    return createRepository({ transport: way, hash, own, readFrom: [...mirrors, own] })
  }

  const isInMemory = (place: Source): boolean => [...memories.values()].some((memory) => memory === place)

  /** What is in memory lives as long as the client. */
  const closingAfter = async <T>(place: Source, work: () => Promise<T>): Promise<T> => {
    if (isInMemory(place)) return work()
    await using _ = place
    return await work()
  }

  const copyBetween = (
    openFrom: () => Promise<LocatedSource>,
    openTo: () => Promise<LocatedTarget>,
    copyOptions: ClientCopyOptions,
  ): CopyJob => {
    const started = Promise.withResolvers<CopyJob>()
    const { tags: further = [], ...rest } = copyOptions
    const result = (async () => {
      try {
        checkCopyOptions(rest)
        if (!Array.isArray(further)) throw new ClientError('usage', 'tags must be a list.')
        const { source, reference } = await openFrom()
        return await closingAfter(source, async () => {
          const { target, tags } = await openTo()
          return closingAfter(target, async () => {
            const job = copy({ source, reference }, { target, tags: [...new Set([...tags, ...further])] }, rest)
            started.resolve(job)
            const done = await job.result
            await target.finish(rest.signal === undefined ? {} : { signal: rest.signal })
            return done
          })
        })
      } catch (error) {
        started.reject(error)
        throw error
      }
    })()
    // What it fails with is what the result fails with.
    started.promise.catch(() => {})
    return toJob(result, async function* () {
      yield* await started.promise
      // What comes after the last event, an archive being written, can fail as well.
      await result
    })
  }

  const client: Client = {
    transport: transports.usual,
    registry(name) {
      const location = parseRegistryName(name)
      return createRegistryClient(transportTo(location), location.registry)
    },
    repository(text) {
      const location = parseLocation(text)
      if (location.scheme !== 'registry')
        throw new ClientError('usage', `${JSON.stringify(text)} is not in a registry.`)
      return repositoryAt(location)
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
      return closingAfter(source, async () => source.resolve(reference, call))
    },
    async open(text, call) {
      const { source, reference } = await client.source(text)
      if (source.repository !== undefined || isInMemory(source)) return openManifest(source, reference, call)
      opened.add(source)
      const close = async (): Promise<void> => {
        if (opened.delete(source)) await source[Symbol.asyncDispose]()
      }
      try {
        return closedBy(await openManifest(source, reference, call), close)
      } catch (error) {
        await close()
        throw error
      }
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
      await transports[Symbol.asyncDispose]()
      for (const place of [...opened, ...memories.values()]) await place[Symbol.asyncDispose]()
      opened.clear()
      memories.clear()
    },
  }
  return client
}

/** Docker's rule: what has neither tag nor digest is `latest`. What is pushed by digest gets no name. */
const tagsOf = (location: Location): readonly string[] => {
  const { scheme, reference } = location
  if (scheme === 'docker-archive') return reference === undefined ? [] : [withTag(reference)]
  if (scheme !== 'registry') return reference === undefined || isDigest(reference) ? [] : [reference]
  if (location.tag !== undefined) return [location.tag]
  return reference === undefined ? ['latest'] : []
}

/** A name in an archive of Docker is a repository with a tag, and `latest` when that is left out. */
const withTag = (name: string): string => (name.slice(name.lastIndexOf('/')).includes(':') ? name : `${name}:latest`)
