import { join } from 'node:path'
import { type Child, startChild } from '../../bench/child.ts'
import { distributionServer } from '../../bench/servers/docker-registry.ts'
import { freePort, type RunningServer, whenAnswering } from '../../bench/servers/server.ts'
import { program } from '../../bench/servers/stowage.ts'
import type { RegistryName } from '../row.ts'

export interface StartOptions {
  readonly directory: string
  /** Flags of `stowage serve`; another registry has none of them. */
  readonly flags?: readonly string[]
  /** Where a processor profile goes. */
  readonly profile?: string
}

/** Without a secret of its own it forgets its unfinished uploads at each start: who wants to resume sets one. */
const dockerRegistry = distributionServer({
  name: 'docker-registry',
  setup: "Debian's package with REGISTRY_HTTP_SECRET set",
  command: () => 'docker-registry',
  environment: { REGISTRY_HTTP_SECRET: 'the same after each start' },
})

/** Starts the registry on a directory that is empty or that the same registry has left behind. */
export const startRegistry = async (
  name: RegistryName,
  { directory, flags = [], profile }: StartOptions,
): Promise<RunningServer> =>
  name === 'stowage'
    ? startStowage(directory, flags, profile)
    : dockerRegistry.start({ directory, content: undefined, profile: undefined })

const startStowage = async (
  directory: string,
  flags: readonly string[],
  profile: string | undefined,
): Promise<RunningServer> => {
  const port = await freePort()
  const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
  const data = join(directory, 'data')
  const serve = ['serve', `127.0.0.1:${port}`, '--data', data, '--log-level', 'error', ...flags]
  const child: Child = startChild(process.execPath, [...profiling, program, ...serve], {
    DISABLE_AUTHENTICATION: 'yes',
  })
  return whenAnswering('stowage', `http://127.0.0.1:${port}`, child)
}

/** Ends it as the kernel would: without a word. */
export const killRegistry = async (server: RunningServer): Promise<void> => {
  process.kill(server.pid, 'SIGKILL')
  await server.stop()
}
