import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChild, versionOf } from '../child.ts'
import { type BenchServer, freePort, type Place, whenAnswering } from './server.ts'

/**
 * Debian's package as it ships, without its password file: authentication would cost it a bcrypt a request. Debian
 * has the in-memory cache of blob descriptors on, delete on, the health check of the storage on, and so have we.
 */
export const dockerRegistry = distributionServer({
  name: 'docker-registry',
  setup:
    "Debian's package and its configuration (in-memory blob descriptor cache, delete on, storage health check every 10 s) " +
    'with the password file taken out, log level error, stdout to /dev/null',
  command: () => 'docker-registry',
  environment: {},
})

export interface DistributionServer {
  readonly name: string
  readonly setup: string
  /** The program; undefined when it is not there. */
  readonly command: () => string | undefined
  readonly environment: Record<string, string>
}

/** docker-registry 2 and distribution 3 are one program: they read the same configuration. */
export function distributionServer({ name, setup, command, environment }: DistributionServer): BenchServer {
  return {
    name,
    kind: 'registry',
    setup,
    version: () => {
      const program = command()
      // It says its own path first.
      return program === undefined ? undefined : versionOf(program, ['--version'])?.split(' ').slice(1).join(' ')
    },
    start: async ({ directory }: Place) => {
      const program = command()
      if (program === undefined) throw new Error(`${name} is not installed`)
      const port = await freePort()
      const file = join(directory, 'config.yml')
      await writeFile(file, configuration(join(directory, 'data'), port))
      return whenAnswering(name, `http://127.0.0.1:${port}`, startChild(program, ['serve', file], environment))
    },
  }
}

function configuration(data: string, port: number): string {
  return `version: 0.1
log:
  level: error
  accesslog:
    disabled: true
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: ${JSON.stringify(data)}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:${port}
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`
}
