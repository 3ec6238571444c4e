import { setTimeout as sleep } from 'node:timers/promises'
import type { Accounts, Logger, Registry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { accountGroup } from './admin/account-operations.ts'
import { isServed } from './admin/client.ts'
import { openAdminSocket } from './admin/server.ts'
import { upkeepGroup } from './admin/upkeep-operations.ts'
import { type Address, formatAddress } from './config/address.ts'
import { settingsFrom, type SettingsInput } from './config/options.ts'
import type { Settings } from './config/settings.ts'
import { createLogger } from './log/create-logger.ts'
import { logRequests } from './log/requests.ts'
import { openRegistry } from './open-registry.ts'
import { registryOptions } from './registry-options.ts'
import { closeServer } from './server/close.ts'
import { watchConnections } from './server/connections.ts'
import { createFront, type PageMaker } from './server/front.ts'
import { createHealth } from './server/health.ts'
import { registryHost } from './server/host.ts'
import { landingPage } from './server/landing-page.ts'
import { createHttpServer, listen } from './server/listen.ts'
import { createMetrics } from './server/metrics.ts'
import { type NoticeFacts, noticesOf } from './server/notices.ts'
import { permit } from './server/policy.ts'
import { createRequestMetrics } from './server/request-metrics.ts'
import { createUpkeepRecord } from './server/upkeep-record.ts'
import { version } from './version.ts'
import { whileLocked } from './while-locked.ts'

export type ServeOptions = SettingsInput & {
  /** Where to log. Default: JSON lines on standard error, from `log.level` on. */
  readonly logger?: Logger
}

/** A registry that is being served. */
export interface Serving extends AsyncDisposable {
  /** Under which clients reach it: the public URL, or where it listens (`http://127.0.0.1:5000`). */
  readonly url: string
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: Address
  /** What whoever started it has to know of who may use it, for people. Logged as warnings as well. */
  readonly notices: readonly string[]
  /**
   * Stops: not ready at once, no new connections after `shutdown.drainDelay`, requests under way have until
   * `shutdown.deadline`, then the registry is closed. Resolves when all is at rest; calling it again waits for the same.
   *
   * @param abort Cuts everything as soon as it aborts.
   */
  close(abort?: AbortSignal): Promise<void>
}

/**
 * Serves a registry over HTTP or HTTPS, with health, metrics, a landing page and the administration socket: what
 * `stowage serve` does.
 *
 * @throws StowageError with a message for people: settings that are wrong or refused, an address or a data directory that
 * cannot be had.
 * @example await using serving = await serve({ address: '127.0.0.1:0', data: './data' })
 */
export const serve = async ({ logger: ownLogger, ...input }: ServeOptions = {}): Promise<Serving> => {
  const settings = settingsFrom(input)
  const { listen: wanted, tls, accounts } = await permit(settings)
  const logger = ownLogger ?? createLogger({ level: settings['log.level'], pretty: false })
  const startedAt = new Date().toISOString()

  const requests = createRequestMetrics()
  const upkeep = createUpkeepRecord()
  const logRequest = logRequests(logger, settings['log.level'] === 'debug')
  await using opened = new AsyncDisposableStack()
  const open = async (): Promise<Registry> =>
    openRegistry(settings.data, {
      ...registryOptions(settings, logger, accounts),
      onResponse: (summary) => {
        requests.record(summary.method, summary.route ?? 'none', summary.status, summary.milliseconds)
        if (summary.error !== undefined) requests.refuse(summary.error)
        logRequest(summary)
      },
      onUpkeep: upkeep.record,
    })
  const registry = opened.use(
    await whileLocked(open, async (locked) => {
      // A command lets go of the directory soon, another server does not.
      if (await isServed(settings.data)) throw locked
      return undefined
    }),
  )

  const server = createHttpServer(settings, tls)
  const connections = watchConnections(server, limitsOf(settings), (reason, socket) => {
    logger.info({ reason, remoteAddress: socket.remoteAddress }, 'a connection was ended')
  })
  opened.defer(connections.stop)
  const health = createHealth(registry, logger)
  const metrics = createMetrics({ registry, connections, requests, upkeep, logger })
  opened.defer(metrics.stop)

  const secure = tls !== undefined
  const listening = (address: Address): string =>
    formatAddress({ ...address, host: reachable(address.host, settings.address) })
  const pages = new Map<string, PageMaker>([
    ['/healthz', () => health.alive()],
    ['/readyz', () => health.ready()],
    [
      '/',
      ({ headers }) =>
        headers.accept?.includes('text/html') === true
          ? landingPage({
              host: registryHost(settings.publicUrl, headers.host, listening(address)),
              secure: settings.publicUrl?.startsWith('https:') ?? secure,
              login: settings.auth === true,
            })
          : undefined,
    ],
  ])
  if (settings.metrics) pages.set('/metrics', () => metrics.page())

  let closing = false
  const front = createFront({
    registry: toNodeHandler(registry),
    pages,
    tokens: settings.auth === true,
    connections,
    requests,
    onError: (error) => logger.error({ err: error }, 'a page could not be made'),
    closing: () => closing,
  })
  server.on('request', front.request).on('checkContinue', front.checkContinue)
  const address = await listen(server, wanted)
  opened.defer(async () => void (await closeServer(server, 0, connections, AbortSignal.abort())))
  server.on('error', (error) => logger.error({ err: error }, 'the server failed'))

  const url = settings.publicUrl ?? `${secure ? 'https' : 'http'}://${listening(address)}`
  let ready = true
  const admin = await openAdminSocket(
    settings.data,
    {
      status: async () => ({
        version,
        pid: process.pid,
        startedAt,
        url,
        data: settings.data,
        ready,
        auth: settings.auth === true,
        connections: connections.open(),
        requestsInFlight: connections.inFlight(),
        registry: await registry.status(),
        upkeep: upkeep.last(),
      }),
      sweep: async () => registry.sweep(),
    },
    [
      ...(registry.accounts === undefined
        ? []
        : [accountGroup({ accounts: registry.accounts, facts: { auth: settings.auth === true } })]),
      upkeepGroup({ registry, exclusive: false }),
    ],
    logger,
  )
  opened.use(admin)
  const notices = noticesOf({ settings, listen: wanted, secure, users: await usersOf(settings, registry.accounts) })
  const rest = opened.move()
  for (const notice of notices) logger.warn({}, notice)
  logger.info({ url, data: settings.data, version, pid: process.pid }, 'serving')

  const stop = async (abort: AbortSignal): Promise<void> => {
    ready = false
    health.shutDown()
    logger.info({ requestsInFlight: connections.inFlight() }, 'shutting down')
    // An abort is not an error here: it only ends the waiting.
    await sleep(settings['shutdown.drainDelay'] * 1000, undefined, { signal: abort }).catch(() => {})
    closing = true
    const cut = await closeServer(server, settings['shutdown.deadline'] * 1000, connections, abort)
    if (cut > 0) logger.warn({ requests: cut }, 'requests were cut off')
    await rest.disposeAsync()
    logger.info({}, 'stopped')
  }
  let stopped: Promise<void> | undefined
  const aborts = new AbortController()
  const close = async (abort?: AbortSignal): Promise<void> => {
    if (abort?.aborted === true) aborts.abort()
    abort?.addEventListener('abort', () => aborts.abort(), { once: true })
    await (stopped ??= stop(aborts.signal))
  }
  return { url, address, notices, close, [Symbol.asyncDispose]: async () => close() }
}

const limitsOf = (settings: Settings): Parameters<typeof watchConnections>[1] => ({
  bodyIdle: settings['limits.bodyIdle'] * 1000,
  bodyMinRate: settings['limits.bodyMinRate'],
  bodyGrace: settings['limits.bodyGrace'] * 1000,
  readerIdle: settings['limits.readerIdle'] * 1000,
})

/** Whether somebody could log in. Who configures users or tokens elsewhere need not have any here. */
const usersOf = async (settings: Settings, accounts: Accounts | undefined): Promise<NoticeFacts['users']> => {
  if (settings['access.htpasswd'] !== undefined || settings['tokenServer.realm'] !== undefined) return 'some'
  let last: string | undefined
  do {
    const page = (await accounts?.listUsers({ limit: 1000, ...(last !== undefined && { last }) })) ?? []
    if (page.some(({ disabled }) => !disabled)) return 'some'
    if (page.length === 0) return last === undefined ? 'none' : 'disabled'
    last = page.at(-1)?.name
  } while (last !== undefined)
  return 'none'
}

/** A host that a client on this machine can use, and as it was asked for: `localhost` stays `localhost`. */
const reachable = (host: string, asked: string): string => {
  if (/^localhost(?::|$)/i.test(asked)) return 'localhost'
  return host === '' || host === '0.0.0.0' ? '127.0.0.1' : host
}
