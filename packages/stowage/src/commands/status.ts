import type { RegistryStatus } from '@stowage/registry'
import type { ServerStatus } from '../admin/api.ts'
import { approximately } from '../terminal/bytes.ts'
import type { LastRun, LastRuns } from '../server/upkeep-record.ts'
import { ask } from './ask.ts'
import type { CommandInput } from './input.ts'
import { instant } from './table.ts'
import { plural } from './upkeep-report.ts'

/** `stowage status`: what is in the registry, and whether it is being served. */
export const statusCommand = async (input: CommandInput, { json }: { readonly json: boolean }): Promise<void> => {
  const result = await ask(input, 'status', async (registry) => registry.status())
  const { data } = result.settings
  if (json) {
    const value =
      result.by === 'server' ? { running: true, ...result.answer } : { running: false, data, registry: result.answer }
    process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
    return
  }
  const rows = result.by === 'server' ? serverRows(result.answer) : storeRows(data, result.answer)
  const width = Math.max(...rows.map(([name]) => name.length))
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(''))
}

const serverRows = (status: ServerStatus): [string, string][] => [
  [
    'Server',
    `${status.ready ? 'running' : 'shutting down'} at ${status.url} since ${status.startedAt} (process ${status.pid})`,
  ],
  ['Version', status.version],
  ['Data directory', status.data],
  ['Authentication', status.auth ? 'on' : 'off'],
  ['Connections', `${status.connections}, requests under way: ${status.requestsInFlight}`],
  ...registryRows(status.registry),
  ...upkeepRows(status.upkeep),
]

const storeRows = (data: string, status: RegistryStatus): [string, string][] => [
  ['Server', 'not running'],
  ['Data directory', data],
  ...registryRows(status),
]

const registryRows = (status: RegistryStatus): [string, string][] => [
  ['Repositories', String(status.repositories)],
  ['Tags', String(status.tags)],
  ['Manifests', String(status.manifests)],
  ['Blobs', `${status.blobs}, ${approximately(status.blobBytes)}`],
  ...(status.corruptBlobs > 0
    ? [['In quarantine', `${status.corruptBlobs} corrupt: see stowage doctor`] as [string, string]]
    : []),
  ['Uploads', `${status.uploads} unfinished`],
]

const upkeepRows = ({ garbage, retention, scrub }: LastRuns): [string, string][] => [
  ...rowOf('Last garbage collection', garbage, ({ blobs, bytes, orphans, withheld }) =>
    withheld === undefined
      ? `${plural(blobs, 'blob')} removed (${approximately(bytes)})${orphans > 0 ? `, ${plural(orphans, 'stray file')}` : ''}`
      : `nothing removed: ${withheld.message}`,
  ),
  ...rowOf('Last retention', retention, ({ tags, manifests, withheld }) =>
    [
      `${plural(tags, 'tag')} and ${plural(manifests, 'manifest')} removed`,
      ...(withheld === undefined ? [] : [withheld.message]),
    ].join('; '),
  ),
  ...rowOf(
    'Last scrub',
    scrub,
    ({ blobs, manifests, bytes, corrupt }) =>
      `${plural(blobs, 'blob')} and ${plural(manifests, 'manifest')} read (${approximately(bytes)}), ${corrupt === 0 ? 'all right' : `${corrupt} corrupt`}`,
  ),
]

/** Nothing until there was one. */
const rowOf = <R extends { readonly incomplete: boolean }>(
  name: string,
  run: LastRun<R> | undefined,
  describe: (report: R) => string,
): [string, string][] => {
  if (run === undefined) return []
  const { at, report } = run
  const how =
    report === undefined
      ? 'failed: the log says why'
      : `${describe(report)}${report.incomplete ? '; cut off before its end' : ''}`
  return [[name, `${instant(at)}: ${how}`]]
}
