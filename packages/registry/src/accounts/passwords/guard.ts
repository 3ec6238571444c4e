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
  /**
   * Counts a failed login that named nobody, as one with the token of a CI job does, against its network.
   *
   * @throws RegistryError `too-many-requests`
   */
  failedWithoutName(address: string | undefined): void
}

/** Only the first call counts. Disposed of without a verdict, it was none. */
export interface Attempt extends Disposable {
  /** Whether the name has logged in from this network. */
  readonly known: boolean
  failed(): void
  succeeded(): void
  /** There was no verdict, because too many ask for one: the network has asked for it, the name has not. */
  refused(): void
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
    const unused = { failures: 0, failedAt: 0, pending: 0 }
    pairs.set(key, unused)
    return unused
  }

  const isKnown = (key: string): boolean => {
    const since = known.get(key)
    return since !== undefined && now() - since < guardNumbers.knownFor
  }

  /**
   * Takes from the network's budget; then what the name has to wait for, if it has to, gives that back. In this order, and with
   * nothing put down for a name before it may begin: names that are refused, however many, make nobody's failures forgotten.
   */
  const takeTurn = (name: string, network: string, key: string, counted: boolean): void => {
    const networkWait = counted ? networks.take(network) : 0
    if (networkWait > 0) throw tooMany(networkWait)
    const pair = pairs.get(key)
    const pairWait = pair === undefined ? 0 : delayOf(pair, now())
    const wait = pairWait > 0 || !counted ? pairWait : names.take(name)
    if (wait === 0) return
    if (counted) networks.giveBack(network)
    throw tooMany(wait)
  }

  return {
    begin: (givenName, address) => {
      const network = networkOf(address)
      // Names come from outside: a digest is short, and does not keep alive the header, password and all, it was cut from.
      const name = hash('sha256', givenName, 'base64url')
      const key = `${name} ${network}`
      const isHere = isKnown(key)
      takeTurn(name, network, key, !isHere)
      const pair = pairOf(key)
      pair.pending += 1
      let open = true

      const settle = (counts: { readonly name: boolean; readonly network: boolean }): boolean => {
        if (!open) return false
        open = false
        pair.pending -= 1
        if (!isHere && !counts.name) names.giveBack(name)
        if (!isHere && !counts.network) networks.giveBack(network)
        return true
      }

      return {
        known: isHere,
        failed: () => {
          if (!settle({ name: true, network: true })) return
          // It may have been forgotten meanwhile.
          const current = pairOf(key)
          current.failures += 1
          current.failedAt = now()
        },
        succeeded: () => {
          if (settle({ name: false, network: false })) known.set(key, now())
        },
        refused: () => void settle({ name: false, network: true }),
        [Symbol.dispose]: () => void settle({ name: false, network: false }),
      }
    },
    failedWithoutName: (address) => {
      const wait = networks.take(networkOf(address))
      if (wait > 0) throw tooMany(wait)
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
