import type { Logger, Registry, RegistryStatus } from '@stowage/registry'
import type { Gauge, Registry as Collector } from 'prom-client'
import { version } from '../version.ts'
import type { Connections } from './connections.ts'
import type { Page } from './page.ts'
import type { RequestMetrics } from './request-metrics.ts'
import { addUpkeepMetrics } from './upkeep-metrics.ts'
import type { UpkeepRecord } from './upkeep-record.ts'

export interface MetricsSources {
  readonly registry: Pick<Registry, 'status'>
  readonly connections: Pick<Connections, 'open' | 'inFlight' | 'ended'>
  readonly requests: RequestMetrics
  readonly upkeep: UpkeepRecord
  readonly logger: Logger
}

/** Counting a million rows takes a while, and anybody may ask. Milliseconds. */
const statisticsKeptFor = 5000

/**
 * The page for Prometheus. What it is made with is loaded when it is first asked for: a start need not wait for it, and a
 * registry that nobody watches never pays for it.
 */
export const createMetrics = (sources: MetricsSources): { page(): Promise<Page>; stop(): void } => {
  let collector: Promise<Collector> | undefined
  return {
    page: async () => {
      const register = await (collector ??= createCollector(sources))
      return {
        status: 200,
        type: register.contentType,
        body: `${await register.metrics()}\n${sources.requests.text()}`,
      }
    },
    stop: () => void collector?.then((register) => register.clear()),
  }
}

const createCollector = async ({ registry, connections, upkeep, logger }: MetricsSources): Promise<Collector> => {
  const { collectDefaultMetrics, Counter, Gauge, Registry: Register } = await import('prom-client')
  const register = new Register()
  const registers = [register]
  collectDefaultMetrics({ register })

  new Gauge({ name: 'stowage_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set({ version }, 1)
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('stowage_http_requests_in_flight', 'Requests whose answer is not out yet.', connections.inFlight)
  gauge('stowage_http_connections', 'Open connections.', connections.open)
  // oxlint-disable-next-line no-new -- it belongs to its register
  new Counter({
    name: 'stowage_http_connections_ended_total',
    help: 'Connections that the server ended for what their client did not do.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of connections.ended) this.inc({ reason: reason.replace(' ', '_') }, count)
    },
  })

  addUpkeepMetrics({ Counter, Gauge }, register, upkeep)

  const statistics = rarely(async () => registry.status(), logger)
  for (const [name, { help, key }] of Object.entries(stored)) {
    // oxlint-disable-next-line no-new
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const status = await statistics()
        if (status === undefined) this.remove()
        else this.set(status[key])
      },
    })
  }
  return register
}

type Statistic = { [K in keyof RegistryStatus]: RegistryStatus[K] extends number ? K : never }[keyof RegistryStatus]

const stored: Readonly<Record<string, { readonly help: string; readonly key: Statistic }>> = {
  stowage_repositories: { help: 'Repositories.', key: 'repositories' },
  stowage_manifests: { help: 'Manifests, in all repositories.', key: 'manifests' },
  stowage_tags: { help: 'Tags, in all repositories.', key: 'tags' },
  stowage_blobs: { help: 'Blobs, each counted once.', key: 'blobs' },
  stowage_blob_bytes: { help: 'Size of all blobs, each counted once.', key: 'blobBytes' },
  stowage_corrupt_blobs: {
    help: 'Blobs in quarantine: their bytes are not those of their digest.',
    key: 'corruptBlobs',
  },
  stowage_uploads: { help: 'Uploads that are not finished.', key: 'uploads' },
  stowage_pending_events: { help: 'Events that the slowest receiver has not got yet.', key: 'pendingEvents' },
}

/** The last answer until it is old; undefined when there was none to be had. */
const rarely = <T>(ask: () => Promise<T>, logger: Logger): (() => Promise<T | undefined>) => {
  let known: { at: number; answer: Promise<T | undefined> } | undefined
  return async () => {
    const now = performance.now()
    if (known === undefined || now - known.at >= statisticsKeptFor) {
      const answer = ask().catch((error: unknown): undefined => {
        logger.error({ err: error }, 'the statistics for /metrics could not be read')
      })
      known = { at: now, answer }
    }
    return known.answer
  }
}
