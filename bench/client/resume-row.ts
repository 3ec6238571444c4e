import { randomFillSync, randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesContent } from '@stowage/client'
import { createClient } from '@stowage/client/node'
import type { Digest } from '@stowage/oci'
import { alternate } from '../alternate.ts'
import { digestOf } from '../content.ts'
import type { Sample } from '../result.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import { stowage } from '../servers/stowage.ts'
import { startCuttingProxy } from './cutting-proxy.ts'
import type { ClientRow } from './row.ts'

const mebibyte = 1024 * 1024
const size = 16 * mebibyte
const pushesOfRound = 20

/** Pushes of 16 MiB, each cut once at a random byte. What counts is that the digest is right, and what went over the wire twice. */
export const resumeRow: ClientRow = {
  id: 'resume',
  title: `${pushesOfRound} pushes of 16 MiB a round, each cut once at a random byte: acknowledged bytes that were sent again`,
  run: async ({ rounds, directory, say }) => {
    const series = await alternate([stowage, dockerRegistry], rounds, async (server, round) => {
      const place = join(directory, `${server.name}-${round}`)
      await mkdir(place, { recursive: true })
      await using running = await server.start({ directory: place, content: undefined })
      await using proxy = await startCuttingProxy(running.url)
      const sample = await pushAll(proxy.host, proxy)
      say(`resume: round ${round}, ${server.name}: ${JSON.stringify(sample)}`)
      return sample
    })
    return [
      {
        id: 'resume',
        title: resumeRow.title,
        unit: 'bytes',
        series,
        targets: [{ subject: stowage.name, direction: 'at most', bound: 0 }],
        notes: [
          'by the library, through a proxy that passes on what came before the cut; every blob is read back and has its digest, or the run fails',
          'docker-registry does not say where a broken upload is: it is begun anew, and nothing in it was acknowledged',
        ],
      },
    ]
  },
}

async function pushAll(
  host: string,
  proxy: { cutAfter(bytes: number): void; sentAgain: number; cuts: number },
): Promise<Sample> {
  const [sentBefore, cutsBefore] = [proxy.sentAgain, proxy.cuts]
  await using client = createClient({ credentials: () => undefined, hosts: { [host]: { plainHttp: true } } })
  const repository = client.repository(`${host}/bench/resumed`)
  for (let push = 0; push < pushesOfRound; push++) {
    const bytes = randomFillSync(Buffer.allocUnsafe(size))
    const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes) as Digest, size }
    proxy.cutAfter(randomInt(1, size))
    await repository.putBlob(descriptor, bytesContent(bytes))
    let read = 0
    for await (const chunk of repository.getBlob(descriptor)) read += chunk.byteLength
    if (read !== size) throw new Error(`read ${read} bytes back`)
  }
  const cuts = proxy.cuts - cutsBefore
  if (cuts !== pushesOfRound) throw new Error(`${cuts} of ${pushesOfRound} pushes were cut`)
  return { value: proxy.sentAgain - sentBefore, detail: { pushes: pushesOfRound, cuts } }
}
