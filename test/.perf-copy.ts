import { createClient } from '/work/main/packages/client/src/client.ts'
import { createNodeFetch } from '/work/main/packages/client/src/node/node-fetch.ts'
const { fetch } = createNodeFetch()
const client = createClient({ fetch: process.env['GLOBAL'] ? undefined : fetch } as {})
const began = performance.now()
const r = await client.copy(`http://${process.argv[2]}`, `http://${process.argv[3]}`, {
  concurrency: Number(process.env['C'] ?? 4),
}).result
console.log(
  'ours',
  ((performance.now() - began) / 1000).toFixed(2),
  's',
  r.bytes,
  'rss MiB',
  process.resourceUsage().maxRSS / 1024,
  'cpu',
  process.cpuUsage(),
)
process.exit()
