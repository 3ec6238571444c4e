import { alternate } from '../alternate.ts'
import { manifestType, mebibyte, type ServedContent } from '../content.ts'
import { driveHead } from '../load/head-driver.ts'
import { runWrk } from '../load/wrk.ts'
import type { Sample, Target } from '../result.ts'
import { bareNode } from '../servers/bare-node.ts'
import { distribution } from '../servers/distribution.ts'
import { dockerRegistry } from '../servers/docker-registry.ts'
import { nginxRead, nginxSendfile } from '../servers/nginx.ts'
import type { BenchServer } from '../servers/server.ts'
import { stowage } from '../servers/stowage.ts'
import { zot } from '../servers/zot.ts'
import { prepareContent, type Row, startServers, withServerCpu } from './row.ts'

const registries = [stowage, dockerRegistry, distribution, zot]

export const manifestRow = readRow({
  id: 'manifest',
  title: 'GET manifest by tag, 32 connections',
  unit: 'requests/s',
  askedSize: 4096,
  servers: [...registries, bareNode],
  targets: [atLeast(20, 'docker-registry'), atLeast(0.5, 'bare node:http')],
  load: (url, { repository, tag }, seconds) =>
    getRate({ url: `${url}/v2/${repository}/manifests/${tag}`, connections: 32, seconds }),
})

export const headRow = readRow({
  id: 'head',
  title: 'HEAD blob, 32 connections',
  unit: 'requests/s',
  askedSize: 65_536,
  servers: [...registries, bareNode],
  targets: [atLeast(15, 'docker-registry')],
  load: async (url, { repository, asked }, seconds) => {
    const { requestsPerSecond, p50Ms, p99Ms } = await driveHead({
      url: `${url}/v2/${repository}/blobs/${asked.digest}`,
      connections: 32,
      seconds,
    })
    return { value: requestsPerSecond, detail: { 'p50 ms': p50Ms, 'p99 ms': p99Ms } }
  },
  note: 'driven by a client of ours (`bench/load/head-driver.ts`): wrk waits for the body that a HEAD does not have',
})

export const smallBlobRow = readRow({
  id: 'blob-64k',
  title: 'GET 64 KiB blob, 16 connections',
  unit: 'requests/s',
  askedSize: 65_536,
  servers: [...registries, nginxSendfile, nginxRead, bareNode],
  targets: [atLeast(10, 'docker-registry'), atLeast(0.35, nginxSendfile.name)],
  load: (url, { repository, asked }, seconds) =>
    getRate({ url: `${url}/v2/${repository}/blobs/${asked.digest}`, connections: 16, seconds }),
})

export const largeBlobRow = readRow({
  id: 'blob-256m',
  title: 'GET 256 MiB blob, 4 connections',
  unit: 'bytes/s',
  askedSize: 256 * mebibyte,
  servers: [...registries, nginxRead, nginxSendfile, bareNode],
  targets: [atLeast(0.9, nginxRead.name)],
  load: async (url, { repository, asked }, seconds) => {
    const address = `${url}/v2/${repository}/blobs/${asked.digest}`
    const { bytesPerSecond } = await runWrk({ url: address, connections: 4, seconds })
    return { value: bytesPerSecond, detail: {} }
  },
  note: 'bytes that wrk read over the time it ran, also those of answers that the end of the run cut off; its buffer is 8 KiB',
})

interface ReadRow {
  readonly id: string
  readonly title: string
  readonly unit: 'requests/s' | 'bytes/s'
  readonly askedSize: number
  readonly servers: readonly BenchServer[]
  readonly targets: readonly Target[]
  readonly load: (url: string, content: ServedContent, seconds: number) => Promise<Sample>
  readonly note?: string
}

function readRow({ id, title, unit, askedSize, servers, targets, load, note }: ReadRow): Row {
  return {
    id,
    title,
    run: async (context) => {
      const content = await prepareContent(context, askedSize)
      await using started = await startServers(context, servers, content)
      const series = await alternate(started.running, context.rounds, async ({ name, pid, url }, round) => {
        let value = 0
        const detail = await withServerCpu(pid, async () => {
          const sample = await load(url, content, context.seconds)
          value = sample.value
          return { ...sample.detail }
        })
        context.say(`${id}: round ${round}, ${name}: ${Math.round(value)} ${unit}`)
        // What the server paid for a request (or a MiB): it moves less than the rate when others use the machine too.
        const cost = (detail['server cores'] * 1e6) / (unit === 'bytes/s' ? value / mebibyte : value)
        return { value, detail: { ...detail, [unit === 'bytes/s' ? 'cpu µs/MiB' : 'cpu µs/request']: cost } }
      })
      return { id, title, unit, series, targets, notes: note === undefined ? [] : [note] }
    },
  }
}

async function getRate(load: { url: string; connections: number; seconds: number }): Promise<Sample> {
  const { requestsPerSecond, p50Ms, p99Ms } = await runWrk({ ...load, headers: { accept: manifestType } })
  return { value: requestsPerSecond, detail: { 'p50 ms': p50Ms, 'p99 ms': p99Ms } }
}

function atLeast(bound: number, peer: string): Target {
  return { subject: stowage.name, peer, direction: 'at least', bound }
}
