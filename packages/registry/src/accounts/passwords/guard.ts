import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { RegistryError } from '../../errors.ts'
import { networkOf } from '../../limits/network.ts'
import { createRate } from '../../limits/rate.ts'

/**
 * How fast passwords can be guessed. Times are milliseconds; a network is what `networkOf` says, a /24 or a /64.
 *
 * An attempt is counted when it begins, and given back when the password was right. One that is refused is not counted, so a
 * delay ends when it was said to end, whoever knocks meanwhile. No delay depends on whether the name exists.
 */
export const guardNumbers = {
  /**
   * One name from one network: so many attempts are free. After the last of these comes a delay of a second, which doubles
   * with every failure. They are free again when the last failure is `forgetAfter` old. A success makes nothing free: it may
   * be that of somebody beside the attacker.
   */
  pair: { free: 5, firstDelay: 1000, longestDelay: 60_000, forgetAfter: 15 * 60_000 },
  /** One name from all networks: ten guesses a minute in the long run, ten at once. Tokens and tokens a second. */
  name: { burst: 10, rate: 10 / 60 },
  /** All names from one network: a hundred a minute, a hundred at once. */
  network: { burst: 100, rate: 100 / 60 },
  /**
   * Where a name has logged in, it is delayed by its own failures there and by nothing else for so long: what others try
   * locks nobody out. Kept in memory, so a start forgets it.
   */
  knownFor: 30 * 24 * 3_600_000,
} as const

/**
 * Delays who guesses passwords, before any work is done for him. Nobody is locked out: see `guardNumbers`. Only who shares a
 * network with somebody who guesses at his name waits with him, and he has tokens, which are not guarded because nobody can
 * guess them.
 */
export interface Guard {
  /**
   * Begins an attempt. Say what came of it, or dispose of it when nothing did.
   *
   * @throws RegistryError `too-many-requests`
   */
  begin(name: string, address: string | undefined): Attempt
}

/** Only the first call counts. Disposed of without a verdict, it was none. */
export interface Attempt extends Disposable {
  failed(): void
  succeeded(): void
}

export interface GuardOptions {
  readonly now: () => number
  /** Names, networks and pairs of them that are remembered, each; those used least recently are forgotten. Default 50,000. */
  readonly limit?: number
}

interface Pair {
  failures: number
  failedAt: number
  /** Attempts under way: each may be a failure. */
  pending: number
}

export const createGuard = ({ now, limit = 50_000 }: GuardOptions): Guard => {
  const pairs = new LRUCache<string, Pair>({ max: limit })
  /** When the name last logged in from the network. Apart from the failures, which anybody can make as many of as he likes. */
  const known = new LRUCache<string, number>({ max: limit })
  const names = createRate({ ...guardNumbers.name, now, limit })
  const networks = createRate({ ...guardNumbers.network, now, limit })

  const pairOf = (key: string): Pair => {
    const found = pairs.get(key)
    if (found !== undefined) return found
    const fresh = { failures: 0, failedAt: 0, pending: 0 }
    pairs.set(key, fresh)
    return fresh
  }

  const isKnown = (key: string): boolean => {
    const since = known.get(key)
    return since !== undefined && now() - since < guardNumbers.knownFor
  }

  /** Seconds until an attempt may begin; it has begun when there are none. */
  const takeBudgets = (name: string, network: string): number => {
    const wait = names.take(name)
    if (wait > 0) return wait
    const networkWait = networks.take(network)
    if (networkWait > 0) names.giveBack(name)
    return networkWait
  }

  return {
    begin: (givenName, address) => {
      const network = networkOf(address)
      // Names come from outside: a digest is short, and does not keep alive the header, password and all, it was cut from.
      const name = hash('sha256', givenName, 'base64url')
      const key = `${name} ${network}`
      const pair = pairOf(key)
      const wait = delayOf(pair, now())
      if (wait > 0) throw tooMany(wait)
      const counted = !isKnown(key)
      const budgetWait = counted ? takeBudgets(name, network) : 0
      if (budgetWait > 0) throw tooMany(budgetWait)
      pair.pending += 1
      let open = true

      const settle = (count: boolean): boolean => {
        if (!open) return false
        open = false
        pair.pending -= 1
        if (!count && counted) {
          names.giveBack(name)
          networks.giveBack(network)
        }
        return true
      }

      return {
        failed: () => {
          if (!settle(true)) return
          // It may have been forgotten meanwhile.
          const current = pairOf(key)
          current.failures += 1
          current.failedAt = now()
        },
        succeeded: () => {
          if (settle(false)) known.set(key, now())
        },
        [Symbol.dispose]: () => void settle(false),
      }
    },
  }
}

/** Seconds. */
const delayOf = (pair: Pair, at: number): number => {
  const { free, firstDelay, longestDelay, forgetAfter } = guardNumbers.pair
  // A clock that was set back has no one wait.
  const since = Math.max(0, at - pair.failedAt)
  if (since >= forgetAfter) pair.failures = 0
  if (pair.failures + pair.pending < free) return 0
  // From here on one after the other: the delay that comes is not known before the verdict.
  if (pair.pending > 0) return 1
  const delay = Math.min(longestDelay, firstDelay * 2 ** Math.min(pair.failures - free, 10))
  return at < pair.failedAt ? 0 : Math.max(0, Math.ceil((delay - since) / 1000))
}

const tooMany = (seconds: number): RegistryError =>
  new RegistryError(
    'too-many-requests',
    `Too many logins have failed. Try again in ${seconds} s. Personal tokens are not delayed.`,
    { hints: { retryAfter: seconds } },
  )
