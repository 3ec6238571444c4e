import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createContent, digestOf, manifestType, type ServedContent } from '../content.ts'
import { createHttpClient, type HttpClient } from '../load/http-client.ts'
import { cpuSecondsOf } from '../proc.ts'
import { pushBlob, pushManifest } from '../push-driver.ts'
import type { RowResult } from '../result.ts'
import type { BenchServer, RunningServer } from '../servers/server.ts'
import { stowage, stowageBefore } from '../servers/stowage.ts'

export interface RowContext {
  readonly rounds: number
  readonly seconds: number
  /** A directory of the row's own. */
  readonly directory: string
  readonly profile: string | undefined
  /** A checkout of Stowage that takes part in every row that has peers, as `stowage before`. */
  readonly before?: string | undefined
  /** False for a peer that is not there, or that the caller does not want. */
  readonly wanted: (server: BenchServer) => boolean
  readonly say: (text: string) => void
}

export interface Row {
  /** What `--rows` calls it. */
  readonly id: string
  readonly title: string
  readonly run: (context: RowContext) => Promise<RowResult>
}

/** All servers of a row, started and idle side by side: only the one under load costs anything. */
export interface Servers extends AsyncDisposable {
  readonly running: readonly RunningServer[]
}

export async function startServers(
  context: RowContext,
  servers: readonly BenchServer[],
  content: ServedContent | undefined,
): Promise<Servers> {
  await using starting = new AsyncDisposableStack()
  const running: RunningServer[] = []
  const { before } = context
  const wanted = servers.filter(context.wanted)
  const all =
    before === undefined
      ? wanted
      : wanted.flatMap((server) => (server === stowage ? [server, stowageBefore(before)] : server))
  for (const server of all) {
    const directory = await mkdtemp(join(context.directory, 'server-'))
    const profile = server.name === 'stowage' ? context.profile : undefined
    const started = starting.use(await server.start({ directory, content, profile }))
    if (content !== undefined) {
      using client = createHttpClient(1, started.headers)
      if (server.kind === 'registry') await fill(client, started, content)
      await verify(client, started, content)
    }
    running.push(started)
  }
  const owned = starting.move()
  return { running, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Content of a row, and the directory that its servers will be started under. */
export async function prepareContent(context: RowContext, askedSize: number): Promise<ServedContent> {
  return createContent(join(context.directory, 'content'), askedSize)
}

/** Runs the row with a directory that is there before and gone behind it. */
export async function inOwnDirectory<T>(directory: string, run: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true })
  try {
    return await run()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Runs a load and adds what processor time the server spent in it: 1 is one core, busy throughout. */
export async function withServerCpu<T extends Record<string, number>>(
  pid: number,
  load: () => Promise<T>,
): Promise<T & { 'server cores': number }> {
  const cpuBefore = cpuSecondsOf(pid)
  const start = performance.now()
  const result = await load()
  const seconds = (performance.now() - start) / 1000
  return { ...result, 'server cores': (cpuSecondsOf(pid) - cpuBefore) / seconds }
}

async function fill(client: HttpClient, { url }: RunningServer, content: ServedContent): Promise<void> {
  const target = { client, url, repository: content.repository }
  for (const { digest, size, file } of content.blobs) {
    await pushBlob(target, { digest, size, bytes: await readFile(file) })
  }
  await pushManifest(target, content.tag, content.manifest.bytes)
}

/** A server that answers something else, or nothing, would win every comparison. */
async function verify(client: HttpClient, { name, url }: RunningServer, content: ServedContent): Promise<void> {
  const wanted = [
    { path: `manifests/${content.tag}`, digest: content.manifest.digest },
    { path: `blobs/${content.asked.digest}`, digest: content.asked.digest },
  ]
  for (const { path, digest } of wanted) {
    const address = new URL(`/v2/${content.repository}/${path}`, url)
    const { status, body } = await client.call({ method: 'GET', url: address, headers: { accept: manifestType } })
    if (status !== 200 || digestOf(body) !== digest) {
      throw new Error(`${name} does not serve ${path} as it was stored: status ${status}, ${body.byteLength} bytes`)
    }
  }
}
