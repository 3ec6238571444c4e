import type { Row } from '../row.ts'
import { explore } from '../simulated/explore.ts'
import { scenarios } from '../simulated/scenarios.ts'

const sizes = {
  small: { limit: 9, recoverEvery: 40 },
  full: { limit: 64, recoverEvery: 10 },
} as const

export const simulatedDisk: Row = {
  name: 'simulated-disk',
  title: 'a simulated disk, cut at every operation',
  method:
    'Scenarios run once on a file system in memory that remembers what fsync has made durable. Then the power is cut at every ' +
    'operation of each: names and bytes that no fsync covers are kept, lost, torn or zeroed, in every subset while there are ' +
    'at most six of them and in seeded ones beyond, with each database that SQLite may have left; the registry is started on ' +
    'what is left, everything acknowledged is read, and for some of them everything is made whole again. What looks the ' +
    'same is looked at once.',
  portable: false,
  run: async ({ size, seed, say, signal }) => {
    const sum = { cuts: 0, states: 0, starts: 0, recoveries: 0 }
    const failures: string[] = []
    for (const scenario of scenarios) {
      const found = await explore(scenario, { seed, signal, ...sizes[size] })
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += found[name]
      failures.push(...found.failures)
      if (found.failures.length > 0) say(`${scenario.name}: ${found.failures.length} bad`)
    }
    return {
      figures: {
        scenarios: scenarios.length,
        cuts: sum.cuts,
        'states tried': sum.states,
        'starts on a state': sum.starts,
        'of them made whole again': sum.recoveries,
        bad: failures.length,
      },
      failures: failures.slice(0, 100),
    }
  },
}
