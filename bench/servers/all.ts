import { bareNode } from './bare-node.ts'
import { distribution } from './distribution.ts'
import { dockerRegistry } from './docker-registry.ts'
import { nginxRead, nginxSendfile } from './nginx.ts'
import type { BenchServer } from './server.ts'
import { stowage } from './stowage.ts'
import { zot } from './zot.ts'

/** What the reader of the results has to know of each server that took part. */
export function setupOf(wanted: (server: BenchServer) => boolean): Record<string, string> {
  return Object.fromEntries(
    [stowage, dockerRegistry, distribution, zot, nginxSendfile, nginxRead, bareNode]
      .filter(wanted)
      .map(({ name, setup }) => [name, setup]),
  )
}
