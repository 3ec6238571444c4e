/**
 * A Docker daemon of our own: Debian's `dockerd` with everything it keeps in one directory, no bridge and no firewall rules,
 * and the client that was installed next to it. It starts its own containerd and ends it.
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CommandResult, findProgram, MissingPrerequisite, run, start } from './command.ts'
import { waitUntil } from './loopback.ts'

export interface DockerDaemon extends AsyncDisposable {
  /** Runs the docker client against this daemon. */
  docker(args: readonly string[], options?: DockerCallOptions): Promise<CommandResult>
}

export interface DockerCallOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly exitCodes?: readonly number[]
}

export async function startDockerDaemon(
  directory: string,
  registry: string,
  signal: AbortSignal,
): Promise<DockerDaemon> {
  const dockerd = findProgram('dockerd')
  if (process.getuid?.() !== 0) throw new MissingPrerequisite('dockerd needs root: run this client as root')
  // The client of the daemon's own package, /usr/bin beside /usr/sbin, before any other that comes first in PATH.
  const client = clientBeside(dockerd)
  const path = (name: string) => join(directory, name)
  const socket = `unix://${path('docker.sock')}`
  await mkdir(path('config'), { recursive: true })
  await writeFile(path('daemon.json'), '{}')
  const daemon = start(
    dockerd,
    [
      '--config-file',
      path('daemon.json'),
      '--iptables=false',
      '--ip6tables=false',
      '--bridge=none',
      '--storage-driver=vfs',
      '--data-root',
      path('data'),
      '--exec-root',
      path('exec'),
      '--pidfile',
      path('docker.pid'),
      '--host',
      socket,
      '--insecure-registry',
      registry,
    ],
    { logFile: path('dockerd.log') },
  )
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: path('config'), DOCKER_CLI_EXPERIMENTAL: 'enabled' }
  const docker: DockerDaemon['docker'] = (args, options = {}) =>
    run(client, args, { ...options, env: { ...env, ...options.env }, signal })
  const stop = () => daemon.stop(60_000)
  try {
    const answers = async () => (await docker(['version'], { exitCodes: [0, 1] })).code === 0
    await waitUntil('dockerd', answers, daemon, signal, 60_000)
  } catch (error) {
    await stop()
    throw error
  }
  return { docker, [Symbol.asyncDispose]: stop }
}

function clientBeside(dockerd: string): string {
  const beside = join(dirname(dockerd), '..', 'bin', 'docker')
  return existsSync(beside) ? beside : findProgram('docker')
}
