import type { Digest } from '@stowage/oci'
import type { Logger } from '../logger.ts'
import type { MetadataStore } from '../metadata/metadata-store.ts'
import type { PullCount } from '../metadata/event.ts'
import type { Hooks } from './hooks.ts'

export interface PullCounter {
  count(repository: string, digest: Digest, tag: string | undefined): void
  /** Hands on what has been gathered. */
  flush(): Promise<void>
}

/** Different manifests gathered before a flush happens by itself, so that memory stays bounded. */
const mostGathered = 10_000

/** Counts pulls in memory: a transaction for every GET would cost the speed of the whole. */
export const createPullCounter = (
  metadata: MetadataStore,
  hooks: Hooks,
  logger: Logger,
  now: () => number,
): PullCounter => {
  let gathered = new Map<string, { repository: string; digest: Digest; tag?: string; count: number; lastAt: number }>()

  const flush = async (): Promise<void> => {
    if (gathered.size === 0) return
    const pulls: PullCount[] = [...gathered.values()]
    gathered = new Map()
    try {
      await metadata.recordPulls(pulls)
      await hooks.pulled?.(pulls)
    } catch (error) {
      logger.warn({ err: error, pulls: pulls.length }, 'pulls could not be recorded; their counts are lost')
    }
  }

  return {
    count: (repository, digest, tag) => {
      const key = `${repository}\n${digest}\n${tag ?? ''}`
      const entry = gathered.get(key)
      if (entry !== undefined) {
        entry.count += 1
        entry.lastAt = now()
        return
      }
      gathered.set(key, { repository, digest, ...(tag === undefined ? {} : { tag }), count: 1, lastAt: now() })
      if (gathered.size >= mostGathered) void flush()
    },
    flush,
  }
}
