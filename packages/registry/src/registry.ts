import { createAccess } from './access/access.ts'
import { createBlobs } from './content/blobs.ts'
import { createManifests } from './content/manifests.ts'
import { createUploads } from './content/uploads.ts'
import { createDelivery } from './events/delivery.ts'
import { createPullCounter } from './events/pull-counter.ts'
import { incomingFrom, responseFrom } from './http/fetch.ts'
import { createHandler } from './http/handle.ts'
import { assertDeclared, routes } from './http/routes.ts'
import { silentLogger } from './logger.ts'
import type { MetadataStatistics } from './metadata/metadata-store.ts'
import { type RegistryOptions, resolveOptions } from './options.ts'
import { openStorage } from './storage.ts'

export interface RegistryStatus extends MetadataStatistics {
  readonly metadata: string
  readonly blobStore: string
}

export interface Registry extends AsyncDisposable {
  /** Answers one request of the distribution API. Never rejects; what is not under `/v2` is a 404. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Resolves when both stores can read and write; rejects with the reason otherwise. */
  check(): Promise<void>
  status(): Promise<RegistryStatus>
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
 * @throws Error when an option is unknown or out of range, or when the storage cannot be opened or is another process's.
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

  const blobs = createBlobs({
    metadata,
    blobs: storage.blobs,
    removeUsed: settings.manifests.allowMissingBlobs,
    now,
    onMissingBytes: (digest, key) =>
      logger.error({ digest, key }, 'the bytes of a blob are missing from the blob store'),
  })
  const manifests = createManifests({ metadata, blobs: storage.blobs, ...settings.manifests, now })
  const uploads = opened.use(createUploads({ metadata, blobs: storage.blobs, ...settings.uploads, now }))
  const pulls = createPullCounter(metadata, hooks, logger, now)
  opened.defer(pulls.flush)
  const delivery = opened.use(createDelivery(metadata, hooks, logger))
  const handle = createHandler({
    services: {
      access: createAccess(options.access ?? {}),
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
  })

  const sweep = async (): Promise<SweepResult> => {
    await pulls.flush()
    // Each in its turn, and the second whatever became of the first.
    const [expired] = await Promise.allSettled([uploads.sweep()])
    const deletedBlobs = await blobs.sweep()
    if (expired.status === 'rejected') throw expired.reason
    return { expiredUploads: expired.value, deletedBlobs }
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
    sweep,
    [Symbol.asyncDispose]: async () => closing.disposeAsync(),
  }
}
