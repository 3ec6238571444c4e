import { RegistryError } from '../../errors.ts'
import { createWorkQueue, type WorkQueue } from './work-queue.ts'

/** Lets the logins of one network wait for each other before they reach what those of all networks share. */
export interface NetworkTurns {
  /** @throws RegistryError `too-many-requests` when too many of this network wait already. */
  run<Result>(network: string, work: () => Promise<Result>): Promise<Result>
}

interface Lane {
  readonly queue: WorkQueue
  /** Under way and waiting: with the last of them the lane goes. */
  users: number
}

/**
 * @param options.atOnce Few, so that it takes many networks to fill the queue of password hashes.
 * @param options.waiting Of each network.
 */
export const createNetworkTurns = ({ atOnce = 6, waiting = 30 } = {}): NetworkTurns => {
  const lanes = new Map<string, Lane>()

  return {
    run: async (network, work) => {
      const lane = lanes.get(network) ?? {
        queue: createWorkQueue({ concurrency: atOnce, waiting, refusal: tooMany }),
        users: 0,
      }
      lanes.set(network, lane)
      lane.users += 1
      try {
        return await lane.queue.run(work)
      } finally {
        lane.users -= 1
        if (lane.users === 0) lanes.delete(network)
      }
    },
  }
}

const tooMany = (): RegistryError =>
  new RegistryError('too-many-requests', 'Too many logins of this network are under way. Try again in 1 s.', {
    hints: { retryAfter: 1 },
  })
