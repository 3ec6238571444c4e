import { alternate } from '../alternate.ts'
import { createHttpClient } from '../load/http-client.ts'
import { countSyncCalls } from '../load/strace.ts'
import { createSmallImages, pushImages } from '../push-driver.ts'
import { distribution } from '../servers/distribution.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import type { RunningServer } from '../servers/server.ts'
import { stowage } from '../servers/stowage.ts'
import { zot } from '../servers/zot.ts'
import { flushDisks } from './push-blob.ts'
import { type Row, type RowContext, startServers, withServerCpu } from './row.ts'

const title = 'push small images (config, 4 KiB layer, manifest), 8 at once'
const atOnce = 8
const imagesOfWarmUp = 64
const imagesOfCount = 80

export const pushImagesRow: Row = {
  id: 'push-images',
  title,
  run: async (context) => {
    await using started = await startServers(context, [stowage, dockerRegistry, distribution, zot], undefined)
    const rates = new Map<string, number>()
    const series = await alternate(started.running, context.rounds, async (server, round) => {
      // As many as it can take in the time, by what it did before: the warm-up round finds that out.
      const count = Math.max(imagesOfWarmUp, Math.ceil((rates.get(server.name) ?? 0) * context.seconds))
      const { value, detail } = await measure(server, count)
      rates.set(server.name, value)
      context.say(`push-images: round ${round}, ${server.name}: ${Math.round(value)} images/s`)
      return { value, detail }
    })
    return {
      id: 'push-images',
      title,
      unit: 'images/s',
      series,
      targets: [{ subject: stowage.name, peer: dockerRegistry.name, direction: 'at least', bound: 5 }],
      notes: await syncCallNotes(context, started.running),
    }
  },
}

async function measure({ pid, url }: RunningServer, count: number) {
  using client = createHttpClient(atOnce)
  const images = createSmallImages(count)
  flushDisks()
  const cpuBefore = process.cpuUsage()
  const detail = await withServerCpu(pid, async () => {
    const took = (await pushImages({ client, url, repository: 'bench/small' }, images, atOnce)) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    return { images: count, seconds: took, 'client cores': (user + system) / 1e6 / took }
  })
  return { value: count / detail.seconds, detail }
}

/** In a short run of its own: strace makes every system call dear, so nothing is timed under it. */
async function syncCallNotes(context: RowContext, servers: readonly RunningServer[]): Promise<string[]> {
  const notes: string[] = []
  for (const { name, pid, url } of servers) {
    using client = createHttpClient(atOnce)
    const images = createSmallImages(imagesOfCount)
    const calls = await countSyncCalls(pid, async () => {
      await pushImages({ client, url, repository: 'bench/counted' }, images, atOnce)
    })
    const each = Object.entries(calls).map(([call, count]) => `${(count / imagesOfCount).toFixed(2)} ${call}`)
    context.say(`push-images: ${name}: ${each.join(', ')} an image`)
    notes.push(`${name}: ${each.join(' and ')} an image (${imagesOfCount} images, ${atOnce} at once, under strace)`)
  }
  return notes
}
