import type { Digest } from '@stowage/oci'
import { createAccess } from './access/access.ts'
import { type AccountService, openAccountService } from './accounts/account-service.ts'
import type { Accounts } from './accounts/accounts.ts'
import { createBlobs } from './content/blobs.ts'
import { createManifests } from './content/manifests.ts'
import { createTouch, touchAfter } from './content/touch.ts'
import { createUploads } from './content/uploads.ts'
import { createDelivery } from './events/delivery.ts'
import { createPullCounter } from './events/pull-counter.ts'
import { incomingFrom, responseFrom } from './http/fetch.ts'
import { createHandler } from './http/handle.ts'
import type { LoginSettings } from './http/resource.ts'
import { isRegistryPath } from './http/route.ts'
import { assertDeclared, routes } from './http/routes.ts'
import { createClientAddress } from './limits/proxies.ts'
import { createRate } from './limits/rate.ts'
import { silentLogger } from './logger.ts'
import type { MetadataStatistics, MetadataStore } from './metadata/metadata-store.ts'
import type { SqliteMetadata } from './metadata/sqlite/sqlite-metadata.ts'
import { type RegistryOptions, resolveOptions } from './options.ts'
import { openStorage } from './storage.ts'
import { backUpDirectory } from './upkeep/back-up-directory.ts'
import { BackupError, type BackupReport } from './upkeep/backup-report.ts'
import { createUpkeep } from './upkeep/create-upkeep.ts'
import type { Upkeep } from './upkeep/upkeep.ts'

export interface RegistryStatus extends MetadataStatistics {
  readonly metadata: string
  readonly blobStore: string
}

export interface Registry extends AsyncDisposable {
  /** Answers one request of the distribution API, or for a token. Never rejects; what is neither is a 404. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Whether a path is the registry's: what is under `/v2`, and `/auth/token` where it gives out tokens. */
  readonly handles: (path: string) => boolean
  /** Users, tokens, rules, issuers and keys; undefined unless the option `accounts` was given. */
  readonly accounts: Accounts | undefined
  /** Resolves when both stores can read and write; rejects with the reason otherwise. */
  check(): Promise<void>
  status(): Promise<RegistryStatus>
  /** Garbage collection, retention and scrubbing, now. What of it happens by itself the option `upkeep` says. */
  readonly upkeep: Upkeep
  /**
   * Writes a copy of the database, as it is now, to a file that must not exist, while everything goes on. For a registry with
   * SQLite: of a directory, `':memory:'`, or `sqliteMetadata`. PostgreSQL has its own means.
   *
   * @throws BackupError for other stores.
   */
  backUp(target: string): Promise<void>
  /**
   * Makes a backup of the whole data directory while everything goes on, see `backUpDirectory`. For a registry whose `storage`
   * is a directory.
   *
   * @throws BackupError for other storage, or when the target is not empty.
   */
  backUpTo(directory: string, options?: { readonly signal?: AbortSignal }): Promise<BackupReport>
  /** Does now what happens by itself every half minute: expired uploads go, superseded bytes go, pull counts are written. */
  sweep(): Promise<SweepResult>
}

export interface SweepResult {
  readonly expiredUploads: number
  readonly deletedBlobs: number
}

/** Between two sweeps. Milliseconds. */
const sweepEvery = 30_000
/** Between two flushes of pull counts. Milliseconds. */
const flushEvery = 5000

/**
 * Opens a registry. Dispose of it (`await using`, or `registry[Symbol.asyncDispose]()`) to let uploads come to rest and close
 * the stores.
 *
 * @throws OptionsError, or AccountError, when an option is unknown, out of range, or names what cannot be used; another Error
 * when the storage cannot be opened or is another process's.
 */
export const createRegistry = async (options: RegistryOptions): Promise<Registry> => {
  const settings = resolveOptions(options)
  assertDeclared(routes)
  const logger = options.logger ?? silentLogger
  const now = options.now ?? Date.now
  // Whatever fails from here on, what was opened is closed again.
  await using opened = new AsyncDisposableStack()
  const storage = opened.use(await openStorage(options.storage))
  const { metadata } = storage
  const hooks = options.hooks ?? {}
  await metadata.enrollReceivers(Object.keys(hooks.receivers ?? {}))

  const accounts =
    options.accounts === undefined
      ? undefined
      : opened.use(
          await openAccountService({
            options: options.accounts,
            store: metadata.accounts,
            policies: options.policies ?? {},
            host: options.access ?? {},
            directory:
              typeof options.storage === 'string' && options.storage !== ':memory:' ? options.storage : undefined,
            inMemory: options.storage === ':memory:',
            publicUrl: settings.http.publicUrl,
            logger,
            now,
          }),
        )

  const touchWithin = (grace: number) =>
    createTouch({
      touchAfter: touchAfter(grace),
      now,
      onTouchFailure: (error) => logger.error({ err: error }, 'the time of unused content could not be set anew'),
    })
  const onMissingBytes = (digest: Digest, key: string): void =>
    logger.error({ digest, key }, 'bytes of a blob are missing: it is in quarantine until a push brings it again')
  const blobs = createBlobs({
    metadata,
    blobs: storage.blobs,
    removeUsed: settings.manifests.allowMissingBlobs,
    touch: touchWithin(settings.upkeep.garbage.grace),
    now,
    onMissingBytes,
  })
  const manifests = createManifests({
    metadata,
    blobs: storage.blobs,
    ...settings.manifests,
    touch: touchWithin(settings.upkeep.retention.restoreFor),
    now,
    onMissingBytes,
    onCorruptManifest: (digest) =>
      logger.error({ digest }, 'the bytes of a manifest are wrong: it is in quarantine until a push brings it again'),
  })
  const uploads = opened.use(createUploads({ metadata, blobs: storage.blobs, ...settings.uploads, now }))
  const pulls = createPullCounter(metadata, hooks, logger, now)
  opened.defer(pulls.flush)
  const delivery = opened.use(createDelivery(metadata, hooks, logger))
  const login = loginOf(accounts)
  const { rate, burst } = settings.requests
  const handle = createHandler({
    services: {
      login,
      access: createAccess(accounts?.control ?? options.access ?? {}, options.policies),
      metadata,
      blobs,
      manifests,
      uploads,
      pulls,
      settings: settings.http,
      changed: () => delivery.wake(),
    },
    routes,
    cors: options.cors,
    logger,
    onResponse: options.onResponse,
    ...(options.trustedProxies !== undefined && {
      clientAddress: createClientAddress({ trusted: options.trustedProxies }),
    }),
    ...(rate > 0 && { rate: createRate({ rate, burst, now }) }),
  })

  const upkeep = opened.use(
    createUpkeep({
      metadata,
      blobs: storage.blobs,
      settings: settings.upkeep,
      onRun: options.onUpkeep,
      policies: options.policies ?? {},
      sweep: blobs.sweep,
      logger,
      now,
      changed: () => delivery.wake(),
    }),
  )

  const sweep = async (): Promise<SweepResult> => {
    await pulls.flush()
    // Each in its turn, and whatever became of the others.
    const [expired] = await Promise.allSettled([uploads.sweep()])
    const [deleted] = await Promise.allSettled([blobs.sweep()])
    const [ended] = await Promise.allSettled([accounts?.sweep()])
    if (expired.status === 'rejected') throw expired.reason
    if (deleted.status === 'rejected') throw deleted.reason
    if (ended.status === 'rejected') throw ended.reason
    return { expiredUploads: expired.value, deletedBlobs: deleted.value }
  }
  const quietly = (what: string, work: () => Promise<unknown>) => (): void => {
    work().catch((error: unknown) => logger.error({ err: error }, `${what} failed; it will be tried again`))
  }
  const timers = [
    setInterval(quietly('the sweep', sweep), sweepEvery),
    setInterval(quietly('the flush', pulls.flush), flushEvery),
  ]
  for (const timer of timers) {
    timer.unref()
    opened.defer(() => clearInterval(timer))
  }
  // Closes in the opposite order, and goes on when one of them cannot be closed.
  const closing = opened.move()

  return {
    accounts: accounts?.accounts,
    handles: (path) => isRegistryPath(path, login !== undefined && 'tokens' in login),
    fetch: async (request) => responseFrom(request, await handle(incomingFrom(request))),
    check: async () => {
      await metadata.check()
      await storage.blobs.check()
    },
    status: async () => ({
      ...(await metadata.statistics()),
      metadata: metadata.kind,
      blobStore: storage.blobs.kind,
    }),
    upkeep,
    backUp: async (target) => {
      if (!canBackUp(metadata)) {
        throw new BackupError(
          `The ${metadata.kind} metadata store makes no backups of itself. Use the tools of its database.`,
        )
      }
      await metadata.backUp(target)
    },
    backUpTo: async (target, run = {}) => {
      const { storage: directory } = options
      if (typeof directory !== 'string' || directory === ':memory:') {
        throw new BackupError('Only a registry in a directory can be backed up as a whole. Back up its two stores.')
      }
      return backUpDirectory(directory, target, { ...run, now })
    },
    sweep,
    [Symbol.asyncDispose]: async () => closing.disposeAsync(),
  }
}

const canBackUp = (metadata: MetadataStore): metadata is SqliteMetadata =>
  'backUp' in metadata && typeof metadata.backUp === 'function'

const loginOf = (accounts: AccountService | undefined): LoginSettings | undefined => {
  if (accounts === undefined) return undefined
  const { service, realm, tokens } = accounts
  if (realm !== undefined) return { service, realm }
  return tokens === undefined ? undefined : { service, tokens }
}
