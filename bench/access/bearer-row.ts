import { alternate } from '../alternate.ts'
import { manifestType } from '../content.ts'
import { runWrk } from '../load/wrk.ts'
import { stowage } from '../servers/stowage.ts'
import { stowageWithAccounts } from '../servers/stowage-with-accounts.ts'
import { prepareContent, type Row, startServers, withServerCpu } from '../rows/row.ts'

const title = 'GET manifest by tag with a Bearer token, 32 connections'

/** What it costs to know who asks. */
export const bearerRow: Row = {
  id: 'bearer',
  title,
  run: async (context) => {
    const content = await prepareContent(context, 4096)
    await using started = await startServers(context, [stowage, stowageWithAccounts], content)
    const series = await alternate(started.running, context.rounds, async ({ name, pid, url, headers }, round) => {
      let value = 0
      const detail = await withServerCpu(pid, async () => {
        const address = `${url}/v2/${content.repository}/manifests/${content.tag}`
        const load = { url: address, connections: 32, seconds: context.seconds }
        const { requestsPerSecond, p50Ms, p99Ms } = await runWrk({
          ...load,
          headers: { accept: manifestType, ...headers },
        })
        value = requestsPerSecond
        return { 'p50 ms': p50Ms, 'p99 ms': p99Ms }
      })
      context.say(`bearer: round ${round}, ${name}: ${Math.round(value)} requests/s`)
      return { value, detail }
    })
    return {
      id: 'bearer',
      title,
      unit: 'requests/s',
      series,
      targets: [{ subject: stowageWithAccounts.name, peer: stowage.name, direction: 'at least', bound: 0.7 }],
      notes: [],
    }
  },
}
