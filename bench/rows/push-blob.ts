import { createHash, randomFillSync } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { alternate } from '../alternate.ts'
import { mebibyte } from '../content.ts'
import { createHttpClient } from '../load/http-client.ts'
import { type BlobToPush, pushBlob } from '../push-driver.ts'
import { distribution } from '../servers/distribution.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import { stowage } from '../servers/stowage.ts'
import { zot } from '../servers/zot.ts'
import { type Row, startServers, withServerCpu } from './row.ts'

const title = 'push one 256 MiB blob'

export const pushBlobRow: Row = {
  id: 'push-blob',
  title,
  run: async (context) => {
    const content = randomFillSync(Buffer.allocUnsafe(256 * mebibyte))
    await using started = await startServers(context, [stowage, dockerRegistry, distribution, zot], undefined)
    using client = createHttpClient(1)
    const series = await alternate(started.running, context.rounds, async ({ name, pid, url }, round) => {
      const blob = neverSeen(content, round, name)
      // What another server left to be written is not to be waited for by this one.
      flushDisks()
      const start = performance.now()
      const detail = await withServerCpu(pid, async () => {
        await pushBlob({ client, url, repository: 'bench/large' }, blob)
        return { seconds: (performance.now() - start) / 1000 }
      })
      context.say(`push-blob: round ${round}, ${name}: ${detail.seconds.toFixed(2)} s`)
      return { value: blob.size / detail.seconds, detail }
    })
    return {
      id: 'push-blob',
      title,
      unit: 'bytes/s',
      series,
      targets: [{ subject: stowage.name, peer: dockerRegistry.name, direction: 'at least', bound: 2 }],
      notes: ['POST and one PUT from memory; `sync` runs before the clock starts; the digest is known beforehand'],
    }
  },
}

function neverSeen(content: Buffer, round: number, name: string): BlobToPush {
  content.write(`${round} ${name} ${performance.now()} `, 0)
  return {
    digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
    size: content.byteLength,
    bytes: content,
  }
}

export function flushDisks(): void {
  const { status } = spawnSync('sync')
  if (status !== 0) throw new Error('sync failed: what is left to be written would be measured')
}
