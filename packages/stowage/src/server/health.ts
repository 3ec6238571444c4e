import type { Logger, Registry } from '@stowage/registry'
import { jsonPage, type Page } from './page.ts'

export interface Health {
  /** The process is there and its loop turns. */
  alive(): Page
  /** Requests may be sent here: the stores work and no shutdown has begun. */
  ready(): Promise<Page>
  /** From now on not ready, without a look at anything. */
  shutDown(): void
}

/** The check writes to the disk and anybody may ask: one answer serves everyone for this long. Milliseconds. */
const keptFor = 1000
const waitFor = 5000

export const createHealth = (registry: Pick<Registry, 'check'>, logger: Logger): Health => {
  let stopping = false
  let known: { at: number; page: Promise<Page> } | undefined

  const check = async (): Promise<Page> => {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error('the check did not come to an end')), waitFor)
    try {
      await Promise.race([registry.check(), late.promise])
      return jsonPage(200, { status: 'ready' })
    } catch (error) {
      // The reason may name paths and hosts: that is for the log.
      logger.error({ err: error }, 'the registry is not ready')
      return jsonPage(503, { status: 'not ready', reason: reasonOf(error) })
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    alive: () => jsonPage(200, { status: 'alive' }),
    ready: async () => {
      if (stopping) return jsonPage(503, { status: 'not ready', reason: 'The server is shutting down.' })
      const now = performance.now()
      if (known === undefined || now - known.at >= keptFor) known = { at: now, page: check() }
      return known.page
    },
    shutDown: () => {
      stopping = true
    },
  }
}

const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'STORAGE_FULL':
      return 'The storage is full.'
    case 'EROFS':
    case 'EACCES':
      return 'The storage cannot be written.'
    case 'UNAVAILABLE':
      return 'Writing to the storage failed. What is stored can be pulled; pushes go on when a trial write succeeds.'
    case 'WRITES_STOPPED':
      return 'Writing to the database failed. What is stored can be pulled; pushes need a restart once the disk is in order.'
    default:
      return 'The storage cannot be read and written; the log says why.'
  }
}
