/** Debian's `docker-registry` on a port and a directory of a test's own: the registry most of the world's content lies in. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, start } from '../clients/command.ts'
import { freePort, waitUntil } from '../clients/loopback.ts'

export interface DockerRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>`, as clients write it in references. */
  readonly host: string
  /** The end of what the program has written. */
  log(): Promise<string>
}

export interface DockerRegistryOptions {
  /** Holds data, configuration and log. Without one there is a temporary directory, which goes with the registry. */
  readonly directory?: string
  /** Let in {@link dockerRegistryUser} alone, by HTTP Basic authentication. Default: everyone. */
  readonly auth?: boolean
  /** Ends a start that takes too long. */
  readonly signal?: AbortSignal
}

/** The one who is let in where `auth` is on. */
export const dockerRegistryUser = { username: 'stowage', password: 'correct horse battery staple' } as const

/** bcrypt of the password above, at the least cost there is: no machine needs `htpasswd` for it. */
const passwordFile = `${dockerRegistryUser.username}:$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG\n`

/**
 * Starts `docker-registry`, deletion enabled. It is ended by SIGTERM.
 *
 * @throws {MissingPrerequisite} when the program is not on this machine: never a skip
 */
export const startDockerRegistry = async (options: DockerRegistryOptions = {}): Promise<DockerRegistry> => {
  const program = findProgram('docker-registry')
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'docker-registry-')))
  const host = `127.0.0.1:${await freePort()}`
  const url = `http://${host}`
  const htpasswd = join(directory, 'htpasswd')
  if (options.auth === true) await writeFile(htpasswd, passwordFile, { mode: 0o600 })
  const file = join(directory, 'config.yml')
  const data = join(directory, 'data')
  await writeFile(file, configuration(data, host, options.auth === true ? htpasswd : undefined))
  const server = start(program, ['serve', file], {
    cwd: directory,
    logFile: join(directory, 'registry.log'),
    env: cleanEnvironment(),
  })
  const stop = async (): Promise<void> => {
    await server.stop()
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  try {
    await waitUntil('docker-registry', async () => answers(url), server, options.signal ?? AbortSignal.timeout(30_000))
  } catch (error) {
    await stop()
    throw error
  }
  return { url, host, log: async () => server.output(), [Symbol.asyncDispose]: stop }
}

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/v2/`)
    await response.body?.cancel()
    return response.ok || response.status === 401
  } catch {
    return false
  }
}

/**
 * The program takes every setting from `REGISTRY_*` as well, and does not start with what it does not know, like the
 * `REGISTRY_AUTH_FILE` of other programs: what this machine has set is no part of a test.
 */
const cleanEnvironment = (): Record<string, undefined> =>
  Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => name.startsWith('REGISTRY_'))
      .map((name) => [name, undefined]),
  )

const configuration = (data: string, host: string, htpasswd: string | undefined): string => `version: 0.1
log:
  level: info
  formatter: text
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: ${JSON.stringify(data)}
  delete:
    enabled: true
http:
  addr: ${host}
${htpasswd === undefined ? '' : passwordSection(htpasswd)}`

const passwordSection = (htpasswd: string): string => `auth:
  htpasswd:
    realm: docker-registry of a test
    path: ${JSON.stringify(htpasswd)}
`
