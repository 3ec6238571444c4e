import type { RegistryStatus } from '@stowage/registry'
import type { ServerStatus } from '../admin/api.ts'
import { approximately } from '../terminal/bytes.ts'
import { ask } from './ask.ts'
import type { CommandInput } from './input.ts'

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
  ['Uploads', `${status.uploads} unfinished`],
]
