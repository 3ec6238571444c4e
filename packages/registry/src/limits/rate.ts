import { LRUCache } from 'lru-cache'

/** How often something may happen for each key: a bucket of tokens that fills at a steady pace. */
export interface Rate {
  /** Takes a token; or takes none and says after how many whole seconds there will be one. */
  take(key: string): number
  /** Gives a token back that was taken for what did not count after all. */
  giveBack(key: string): void
}

export interface RateOptions {
  /** Tokens a second. */
  readonly rate: number
  /** Tokens in a full bucket: what may happen at once after a rest. */
  readonly burst: number
  /** Milliseconds. */
  readonly now: () => number
  /** Keys that are remembered; the one that was used least recently is forgotten. Default 50,000. */
  readonly limit?: number
}

interface Bucket {
  tokens: number
  at: number
}

/**
 * Own code, since the well-known library counts in fixed windows, which lets twice the limit through where two of them meet,
 * and holds a timer for every key. Here a key is two numbers, and there is no timer.
 */
export const createRate = ({ rate, burst, now, limit = 50_000 }: RateOptions): Rate => {
  const buckets = new LRUCache<string, Bucket>({ max: limit })

  const filled = (key: string): Bucket => {
    const at = now()
    const bucket = buckets.get(key)
    if (bucket === undefined) {
      const full = { tokens: burst, at }
      buckets.set(key, full)
      return full
    }
    // A clock that was set back fills nothing, and takes nothing away.
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * rate)
    bucket.at = at
    return bucket
  }

  return {
    take: (key) => {
      const bucket = filled(key)
      if (bucket.tokens >= nearlyOne) {
        bucket.tokens -= 1
        return 0
      }
      return Math.max(1, Math.ceil((1 - bucket.tokens) / rate - 1e-6))
    },
    giveBack: (key) => {
      // Too many of them are gone when it is looked at next.
      filled(key).tokens += 1
    },
  }
}

/** Tokens are sums of fractions: who waited as long as was said must find one. */
const nearlyOne = 1 - 1e-6
