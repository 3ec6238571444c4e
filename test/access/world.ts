import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { BlobStore, Registry, RegistryOptions } from '@stowage/registry'
import { askForToken } from './ask-for-token.ts'
import { type Answer, type Client, createClient } from './client.ts'
import { contentOf, type Document, sha256 } from './content.ts'
import { basic, type Credential } from './credentials.ts'
import { addressOf, configuredRules, enter } from './cast.ts'
import type { Staff } from './casting.ts'
import { writeHtpasswd } from './htpasswd.ts'
import { startIssuer } from './issuer.ts'
import { type PolicyKind, repositories, type RepositoryKind } from './policy-model.ts'
import type { Product } from './product.ts'
import { uploaded } from './variants.ts'

/** Names of repositories that have content. */
export const names: Readonly<Partial<Record<RepositoryKind, string>>> = {
  public: 'public/app',
  internal: 'internal/app',
  own: 'acme/app',
  other: 'globex/app',
  'reserved-own': 'acme/tags/list/blobs/uploads',
  'reserved-other': 'globex/blobs/uploads/manifests/latest',
}

const absent: Readonly<Partial<Record<RepositoryKind, string>>> = {
  'absent-public': 'public/absent',
  'absent-own': 'acme/absent',
  'absent-other': 'globex/absent',
}

/** A registry with everybody and everything in it that the matrix asks about. */
export interface World extends AsyncDisposable {
  readonly client: Client
  readonly credentials: readonly Credential[]
  /** The repository's name; that of an absent one is used up when something was put there. */
  nameOf(kind: RepositoryKind, credential: Pick<Credential, 'actor'>): string
  useUp(kind: RepositoryKind, credential: Pick<Credential, 'actor'>): void
  /** The id of an upload of `actor`, begun before anybody lost a right where it has to be. */
  upload(actor: string, repository: string): string | undefined
  beginUpload(repository: string, authorization: string | undefined, actor: string): Promise<void>
  forgetUpload(actor: string, repository: string): void
  /** With rights beyond doubt, not over the socket. */
  repair(request: { method: string; path: string; body?: string; type?: string }): Promise<number>
  /** Lets time pass. */
  pass(milliseconds: number): void
  /** Changes when anything that somebody could see does. */
  fingerprint(): string
}

export interface WorldOptions {
  readonly policy: PolicyKind | undefined
  readonly wants: Staff['wants']
  /** Whether there is an htpasswd file: every password costs a comparison more then. */
  readonly file: boolean
}

/** Somebody who may do everything: begins the uploads of strangers, and puts things right. */
export const keeper = { name: 'keeper', password: 'the password of the keeper' } as const

export const openWorld = async (product: Product, { policy, wants, file }: WorldOptions): Promise<World> => {
  await using opened = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'stowage-access-'))
  opened.defer(async () => rm(directory, { recursive: true, force: true }))
  const issuer = opened.use(await startIssuer())
  const clock: { offset: number; stopped: number | undefined } = { offset: 0, stopped: undefined }
  const now = (): number => (clock.stopped ?? Date.now()) + clock.offset
  const htpasswd = join(directory, 'htpasswd')
  await writeHtpasswd(htpasswd, ['h-gone', 'h-shadowed'])

  const touched = { count: 0 }
  const blobs = watched(product.memoryBlobs(), touched)
  const database = join(directory, 'registry.db')
  const open = async (policies: NonNullable<RegistryOptions['policies']>): Promise<Registry> =>
    product.createRegistry({
      storage: { metadata: await product.sqliteMetadata({ path: database }), blobs },
      accounts: {
        secret: 'a secret that is used for nothing but this proof',
        firstAdministrator: keeper,
        ...(file && { htpasswd }),
        rules: configuredRules,
      },
      policies,
      uploads: { expireAfter: 1_000_000_000 },
      limits: { openUploads: 1_000_000, allOpenUploads: 1_000_000 },
      // So that each request can come from an address of its own: nobody here is to be slowed down.
      trustedProxies: ['127.0.0.1'],
      now,
    })

  // The stage: it can be changed for another registry on the same stores.
  let registry = await open({})
  opened.defer(async () => registry[Symbol.asyncDispose]())
  let handler = product.toNodeHandler(registry)
  const server = createServer((request, response) => handler(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.defer(async () => void (await new Promise((resolve) => server.close(resolve).closeAllConnections())))
  const client = opened.use(createClient((server.address() as AddressInfo).port))

  const repair: World['repair'] = async ({ method, path, body, type }) => {
    const response = await registry.fetch(
      new Request(`http://registry.test${path}`, {
        method,
        headers: {
          authorization: basic(keeper.name, keeper.password),
          ...(type !== undefined && { 'content-type': type }),
        },
        ...(body !== undefined && { body }),
      }),
    )
    await response.arrayBuffer()
    return response.status
  }
  const must = async (request: Parameters<typeof repair>[0]): Promise<void> => {
    const status = await repair(request)
    if (status >= 300) throw new Error(`${request.method} ${request.path} answered ${status}`)
  }
  const put = async (path: string, { text, type }: Document): Promise<void> =>
    must({ method: 'PUT', path, body: text, type })

  for (const name of Object.values(names)) {
    const content = contentOf(name)
    for (const blob of [content.config, content.loose]) {
      await must({ method: 'POST', path: `/v2/${name}/blobs/uploads/?digest=${sha256(blob)}`, body: blob })
    }
    await put(`/v2/${name}/manifests/existing`, content.image)
    await put(`/v2/${name}/manifests/victim`, content.victim)
    await put(`/v2/${name}/manifests/${content.untagged.digest}`, content.untagged)
  }

  let addresses = 0
  const nextAddress = (): string => addressOf((addresses += 1))
  const uploads = new Map<string, string>()
  const used = new Map<string, number>()
  const send = async (method: string, target: string, authorization: string | undefined, body = ''): Promise<Answer> =>
    client.send({
      method,
      target,
      body,
      headers: { ...(authorization !== undefined && { authorization }), 'x-forwarded-for': nextAddress() },
    })
  const beginUpload: World['beginUpload'] = async (repository, authorization, actor) => {
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/`, authorization)
    const id = begun.headers['docker-upload-uuid'] ?? ''
    const grown = await send('PATCH', `/v2/${repository}/blobs/uploads/${id}`, authorization, uploaded)
    if (begun.status !== 202 || grown.status !== 202) {
      throw new Error(`${actor} cannot begin an upload in ${repository}: ${begun.status} ${grown.status} ${begun.body}`)
    }
    uploads.set(`${actor} ${repository}`, id)
  }
  const nameOf: World['nameOf'] = (kind, { actor }) => {
    const base = absent[kind]
    if (base === undefined) return names[kind] ?? ''
    const mine = `${base}/${actor.replaceAll(/[^a-z-]/g, '')}`
    return `${mine}/${used.get(mine) ?? 0}`
  }

  const { accounts } = registry
  if (accounts === undefined) throw new Error('The registry has no accounts.')
  const staff: Staff = {
    accounts,
    issuer,
    now,
    wants,
    pass: (milliseconds) => void (clock.offset += milliseconds),
    stopTheClock: () => void (clock.stopped = Date.now()),
    at: async (time, work) => {
      clock.stopped = time - clock.offset
      try {
        return await work()
      } finally {
        clock.stopped = undefined
      }
    },
    htpasswd,
    // The repositories of a credential.
    everywhere: (credential) => repositories.map((kind) => nameOf(kind, credential)),
    beginUploads: async ({ actor, authorization }) => {
      for (const kind of repositories) {
        const name = nameOf(kind, { actor })
        await beginUpload(name, await authorization(name), actor)
      }
    },
    greet: async ({ authorization }) => void (await send('GET', '/v2/', await authorization(undefined))),
    token: async (login, scopes) => {
      const answer = await askForToken(client, login, scopes, nextAddress())
      if (answer.status !== 200) throw new Error(`The token endpoint answered ${answer.status}: ${answer.body}`)
      return JSON.parse(answer.body) as { token: string; refresh_token?: string }
    },
  }
  await staff.beginUploads({ actor: keeper.name, authorization: async () => basic(keeper.name, keeper.password) })
  const credentials = await enter(staff)

  if (policy !== undefined) {
    await registry[Symbol.asyncDispose]()
    registry = await open({
      ...(policy.readOnly === true && { readOnly: true }),
      ...(policy.deletionDisabled === true && { deletion: false }),
      ...(policy.immutable === true && { immutableTags: [{ repositories: 'acme/*', tags: 'exist*' }] }),
    })
    handler = product.toNodeHandler(registry)
  }

  const reader = new DatabaseSync(database, { readOnly: true })
  opened.defer(() => reader.close())
  const version = reader.prepare('pragma data_version')
  const dumps = visible.map((query) => reader.prepare(query))
  let seen: { readonly version: unknown; readonly dump: string } | undefined
  const dump = (): string => {
    const { data_version: at } = version.get() as { data_version: number }
    // No other connection has committed anything since.
    if (seen?.version === at) return seen.dump
    seen = { version: at, dump: sha256(JSON.stringify(dumps.map((statement) => statement.all()))) }
    return seen.dump
  }

  const rest = opened.move()
  return {
    client,
    credentials,
    nameOf,
    useUp: (kind, credential) => {
      const name = nameOf(kind, credential)
      const slash = name.lastIndexOf('/')
      used.set(name.slice(0, slash), Number(name.slice(slash + 1)) + 1)
    },
    upload: (actor, repository) => uploads.get(`${actor} ${repository}`),
    beginUpload,
    forgetUpload: (actor, repository) => void uploads.delete(`${actor} ${repository}`),
    repair,
    pass: (milliseconds) => void (clock.offset += milliseconds),
    fingerprint: () => `${dump()} ${touched.count}`,
    [Symbol.asyncDispose]: async () => rest.disposeAsync(),
  }
}

/** What people can see. Not: when something was last used, how often it was pulled. */
const visible = [
  'select * from repository_blobs',
  'select repository_id, digest from manifests',
  'select repository_id, name, digest from tags',
  'select id, repository, actor from uploads',
  'select * from users',
  'select * from access_rules',
]

/** Not `delete`, which comes by itself a minute after nobody needs something any more. */
const writing: ReadonlySet<string | symbol> = new Set(['write', 'truncate', 'commit', 'discardUpload'])

/** Counts what changes the store. It outlives the registries on it. */
const watched = (store: BlobStore, touched: { count: number }): BlobStore => {
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, property) => {
        const value: unknown = Reflect.get(object, property)
        if (property === Symbol.asyncDispose) return async () => {}
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          if (writing.has(property)) touched.count += 1
          const result: unknown = value.apply(object, given)
          return property === 'openUpload' ? (result as Promise<object>).then(watch) : result
        }
      },
    })
  return watch(store)
}
