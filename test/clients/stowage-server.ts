/** Starts `stowage serve` as a user does, on a free port of the loopback interface, for the client and conformance runs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Background, MissingPrerequisite, run, start } from './command.ts'
import { freePort, waitUntil } from './loopback.ts'
import type { Report } from './harness.ts'

export const repositoryRoot = join(import.meta.dirname, '..', '..')
const command = join(repositoryRoot, 'packages', 'stowage', 'dist', 'main.js')

/** Compiles the workspace, so that what is served is what stands in `src`. */
export async function buildStowage(signal: AbortSignal): Promise<void> {
  await run(process.execPath, [join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {
    cwd: repositoryRoot,
    signal,
  })
}

export interface StowageServer extends AsyncDisposable {
  readonly url: string
  readonly process: Background
}

export interface StowageOptions {
  /** Holds the data and the log of this server. */
  readonly directory: string
  /** Serve with `--public-url`, so that every `Location` is absolute. */
  readonly publicUrl: boolean
  /** Serve with `auth: on`. */
  readonly accounts?: boolean
  /** Added to its environment; what is undefined is taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

export async function startStowage(options: StowageOptions): Promise<StowageServer> {
  if (!existsSync(command)) throw new MissingPrerequisite(`${command} is missing: run npm run build`)
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const server = start(
    process.execPath,
    [
      command,
      'serve',
      address,
      '--data',
      join(options.directory, 'data'),
      ...(options.publicUrl ? ['--public-url', url] : []),
    ],
    {
      cwd: options.directory,
      logFile: join(options.directory, 'stowage.log'),
      env: { ...(options.accounts === true ? withAccounts : withoutAccounts), ...options.env },
    },
  )
  try {
    await waitUntil('stowage serve', () => answers(url), server, options.signal)
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    url,
    process: server,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

const withoutAccounts = { DISABLE_AUTHENTICATION: 'yes' }
const withAccounts = { STOWAGE_AUTH: 'on', DISABLE_AUTHENTICATION: undefined }

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`)
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** Starts the server for `use`, ends it as an operator does, and reports whether it lived to the end and ended well. */
export async function onStowage(
  options: StowageOptions,
  report: Report,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const name = `stowage serve (${options.accounts === true ? 'accounts' : options.publicUrl ? 'absolute' : 'relative'})`
  const failedBefore = report.failed
  const server = await startStowage(options)
  try {
    await use(server.url)
    await reportFaults(server.url, name, report)
  } finally {
    await server.process.stop()
  }
  const code = await server.process.ended
  if (code === 0) report.ok(`${name}: lives through all clients and ends with code 0 on SIGTERM`)
  else report.fail(`${name}: ends with code 0 on SIGTERM`, new Error(`exit code ${code}`))
  if (report.failed > failedBefore) console.log(`the end of its log:\n${await server.process.output()}`)
}

/** No input causes a 5xx: whatever the clients did, the server has counted none. */
async function reportFaults(url: string, name: string, report: Report): Promise<void> {
  const title = `${name}: answered no request with a 5xx`
  try {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const counted = metrics.split('\n').filter((line) => line.startsWith('stowage_http_requests_total{'))
    const faults = counted.filter((line) => /status="5\d\d"/.test(line))
    if (!counted.some((line) => line.includes('status="201"')))
      throw new Error(`no push is counted:\n${counted.join('\n')}`)
    if (faults.length > 0) throw new Error(faults.join('\n'))
    report.ok(title)
  } catch (error) {
    report.fail(title, error)
  }
}
