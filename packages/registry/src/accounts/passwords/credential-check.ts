import { RegistryError } from '../../errors.ts'
import { networkOf } from '../../limits/network.ts'
import type { Attempt, Guard } from './guard.ts'
import { createNetworkTurns } from './network-turns.ts'
import { createSharedVerdicts } from './shared-verdicts.ts'
import type { Verified } from './verified.ts'

/** Whether a name and a password are right, asked often and costing little, with guesses held back. */
export interface CredentialCheck<Value> {
  /**
   * @param verify Undefined: they are wrong. Called when nothing is remembered.
   * @throws RegistryError `too-many-requests`, and what `verify` throws; that counts as no guess at the name.
   */
  check(credentials: Credentials, verify: () => Promise<Value | undefined>): Promise<Value | undefined>
}

export interface Credentials {
  readonly name: string
  readonly password: string
  readonly address: string | undefined
  /** Of all that the verdict depends on: what was concluded under another one is not used. */
  readonly stamp: string
}

export interface CredentialCheckOptions<Value> {
  readonly guard: Guard
  readonly verified: Verified<Value>
  /** Whether a verdict may be remembered. Default: every one. */
  readonly keeps?: (value: Value) => boolean
}

/**
 * The order matters. Who sends the same at the same time shares one attempt, or the requests of one client would count as
 * guesses. The guard comes before what is remembered, or guesses at those who are active would be free: the right one would
 * be told by its answer from all that are refused. Those of one network come one after the other, so that it cannot use up what
 * all share; who has logged in from there does not wait for those who have not.
 */
export const createCredentialCheck = <Value>(options: CredentialCheckOptions<Value>): CredentialCheck<Value> => {
  const { guard, verified, keeps = () => true } = options
  const verdicts = createSharedVerdicts<Value | undefined>()
  const turns = createNetworkTurns()

  const verdictOf = async (
    attempt: Attempt,
    network: string,
    verify: () => Promise<Value | undefined>,
  ): Promise<Value | undefined> => {
    try {
      return await turns.run(`${network} ${attempt.known}`, verify)
    } catch (error) {
      if (error instanceof RegistryError) attempt.refused()
      throw error
    }
  }

  return {
    check: ({ name, password, address, stamp }, verify) => {
      const network = networkOf(address)
      // The network too: a guess from elsewhere must not join the right password that is just under way.
      return verdicts.share([name, password, stamp, network], async () => {
        using attempt = guard.begin(name, address)
        const known = verified.get(name, password, stamp)
        const value = known ?? (await verdictOf(attempt, network, verify))
        if (value === undefined) {
          attempt.failed()
          return undefined
        }
        attempt.succeeded()
        if (known === undefined && keeps(value)) verified.put(name, password, stamp, value)
        return value
      })
    },
  }
}
