import { createRegistry } from '@stowage/registry'

const hour = 3_600_000

/**
 * `node collect-program.ts <data>`: opens a registry that nobody serves, some hours later, collects its garbage, and prints
 * what is left, as JSON. Later, because much waits for its time: unfinished uploads, and bytes that readers may have open.
 */
const [data] = process.argv.slice(2)
if (data === undefined) throw new Error('Which data directory?')
let later = 2 * hour
await using registry = await createRegistry({ storage: data, now: () => Date.now() + later })
await registry.sweep()
const { sample: _, ...report } = await registry.upkeep.collectGarbage({ grace: 0, trustClock: true, exclusive: true })
later += hour
// Each takes away a part.
while ((await registry.sweep()).deletedBlobs > 0);
const { blobs, manifests, tags, uploads } = await registry.status()
console.log(JSON.stringify({ report, blobs, manifests, tags, uploads }))
