import { LRUCache } from 'lru-cache'
import { createCredentialKey } from './credential-key.ts'

/**
 * Credentials that were right a moment ago: clients send them with every request, and a derivation for each would be the end
 * of the registry. Holds no password, and nothing of credentials that were wrong.
 */
export interface Verified<Value = unknown> {
  /** @param stamp Of the state that the verdict came from. Another one than it was put with: there is nothing. */
  get(name: string, password: string, stamp: string): Value | undefined
  put(name: string, password: string, stamp: string, value: Value): void
  clear(): void
}

export interface VerifiedOptions {
  readonly now: () => number
  /** Milliseconds since the verdict; use does not prolong it. Default 60,000. */
  readonly ttl?: number
  /** Credentials that are remembered; those used least recently are forgotten. Default 10,000. */
  readonly limit?: number
}

export const createVerified = <Value = unknown>(options: VerifiedOptions): Verified<Value> => {
  const { now, ttl = 60_000, limit = 10_000 } = options
  const keyOf = createCredentialKey()
  const known = new LRUCache<string, { readonly value: Value; readonly stamp: string; readonly at: number }>({
    max: limit,
  })

  return {
    get: (name, password, stamp) => {
      const key = keyOf(name, password)
      const found = known.get(key)
      if (found === undefined) return undefined
      const age = now() - found.at
      // A clock that was set back must not make it last.
      if (age >= 0 && age < ttl && found.stamp === stamp) return found.value
      known.delete(key)
      return undefined
    },
    put: (name, password, stamp, value) => void known.set(keyOf(name, password), { value, stamp, at: now() }),
    clear: () => known.clear(),
  }
}
