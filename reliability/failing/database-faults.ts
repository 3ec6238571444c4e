import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createHttpClient, type HttpClient } from '../http.ts'
import { type Content, contentOf, imageOf, pushBlob, pushManifest } from '../image.ts'
import type { RunningServer } from '../../bench/servers/server.ts'
import { killRegistry, startRegistry } from '../load/start.ts'
import type { Random } from '../random.ts'

export interface DatabaseFaults {
  readonly refused: number
  readonly failures: readonly string[]
}

const repository = 'failing/database'

/** Its config is there; its manifest is never taken. */
const image = imageOf('failing', [])

/**
 * The limit of the size of files, for a process that runs: writes behind it fail with EFBIG, which SQLite reports as an
 * input/output error. The log of the database is longer than the blobs here, so only it meets the limit.
 */
const limitFileSize = (pid: number, bytes: number | 'unlimited'): void => {
  try {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  } catch (error) {
    throw new Error('prlimit, of util-linux, could not set a limit for the server.', { cause: error })
  }
}

export const tryDatabaseFaults = async ({
  directory,
  random,
  rounds,
  signal,
}: {
  readonly directory: string
  readonly random: Random
  readonly rounds: number
  readonly signal: AbortSignal
}): Promise<DatabaseFaults> => {
  const failures: string[] = []
  let refused = 0
  const acknowledged: Content[] = []
  const unknown: Content[] = []
  const log = join(directory, 'data', 'registry.db-wal')

  const lookAll = async (client: HttpClient, when: string): Promise<void> => {
    for (const [contents, statuses] of [
      [acknowledged, [200]],
      [unknown, [200, 404]],
    ] as const) {
      for (const { digest, bytes } of contents) {
        const answer = await client.send('GET', `/v2/${repository}/blobs/${digest}`)
        const isRight = answer.status !== 200 || answer.body.equals(bytes)
        if (!statuses.some((status) => status === answer.status) || !isRight)
          failures.push(`${when} a pull gave ${answer.status} with ${answer.body.byteLength} bytes`)
      }
    }
  }

  const push = async (client: HttpClient): Promise<number> => {
    const content = contentOf(random.bytes(random.between(1, 5000)))
    const { status } = await pushBlob(client, repository, content)
    ;(status === 201 ? acknowledged : unknown).push(content)
    return status
  }

  /** Everything that writes the database, and must be refused. */
  const refuseAll = async (client: HttpClient, when: string): Promise<void> => {
    const [first] = acknowledged
    const writes = [
      async () => pushManifest(client, repository, 'latest', image.manifest),
      async () => client.send('DELETE', `/v2/${repository}/blobs/${first?.digest ?? ''}`),
      async () => client.send('POST', `/v2/${repository}/blobs/uploads/`),
    ]
    for (const write of writes) {
      const answer = await write()
      refused += 1
      if (answer.status !== 503) failures.push(`${when} a write gave ${answer.status}`)
      if (answer.status === 503 && answer.headers['retry-after'] === undefined)
        failures.push(`${when} a 503 had no Retry-After`)
    }
    const ready = await client.send('GET', '/readyz')
    if (ready.status !== 503) failures.push(`${when} the server said that it is ready: ${ready.status}`)
  }

  let server: RunningServer | undefined
  try {
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted()
      server = await startRegistry('stowage', { directory })
      const { pid, url } = server
      using client = createHttpClient(url)
      await lookAll(client, `round ${round}, after the start,`)
      await pushBlob(client, repository, image.config)
      for (let count = 0; count < 10; count++) {
        const status = await push(client)
        if (status !== 201) failures.push(`round ${round}: a push without a fault gave ${status}`)
      }
      // Somewhere in the next few commits: between two of them, or in the middle of one.
      limitFileSize(pid, statSync(log).size + random.between(0, 60_000))
      let status = 201
      for (let count = 0; count < 100 && status === 201; count++) status = await push(client)
      refused += 1
      if (status !== 503) failures.push(`round ${round}: the first push that met the limit gave ${status}`)
      await refuseAll(client, `round ${round}, with the limit,`)
      await lookAll(client, `round ${round}, with the limit,`)
      limitFileSize(pid, 'unlimited')
      // A write that failed may have left anything in the log: only a start finds out.
      await refuseAll(client, `round ${round}, without the limit and before the restart,`)
      await (round % 2 === 0 ? killRegistry(server) : server.stop())
      server = undefined
    }
    server = await startRegistry('stowage', { directory })
    using client = createHttpClient(server.url)
    await lookAll(client, 'in the end')
  } finally {
    await server?.stop()
  }
  return { refused, failures }
}
