import { join } from 'node:path'
import { startChild } from '../../bench/child.ts'
import { distributionServer } from '../../bench/servers/docker-registry.ts'
import { freePort, type RunningServer, whenAnswering } from '../../bench/servers/server.ts'
import { program } from '../../bench/servers/stowage.ts'
import type { RegistryName } from '../row.ts'

export interface StartOptions {
  readonly directory: string
  /** Settings of stowage, as `STOWAGE_LIMITS_OPEN_UPLOADS`; another registry has none of them. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Without a secret of its own it forgets its unfinished uploads at each start: who wants to resume sets one. */
const dockerRegistry = distributionServer({
  name: 'docker-registry',
  setup: "Debian's package with REGISTRY_HTTP_SECRET set",
  command: () => 'docker-registry',
  environment: { REGISTRY_HTTP_SECRET: 'the same after each start' },
})

/** Starts the registry on a directory that is empty or that the same registry has left behind; it can be stopped politely. */
export const startRegistry = async (
  name: RegistryName,
  { directory, environment = {} }: StartOptions,
): Promise<RunningServer> => {
  if (name === 'docker-registry') return dockerRegistry.start({ directory, content: undefined })
  const port = await freePort()
  const data = join(directory, 'data')
  const child = startChild(
    process.execPath,
    [program, 'serve', `127.0.0.1:${port}`, '--data', data, '--log-level', 'error'],
    { DISABLE_AUTHENTICATION: 'yes', ...environment },
  )
  return whenAnswering('stowage', `http://127.0.0.1:${port}`, child)
}

/** Ends it as the kernel would: without a word. */
export const killRegistry = async (server: RunningServer): Promise<void> => {
  process.kill(server.pid, 'SIGKILL')
  await server.stop()
}
