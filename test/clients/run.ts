/**
 * Runs real registry clients against the registry: `node test/clients/run.ts [options] [client…]`
 *
 *   --registry URL        test the registry at URL and start none; `--absolute` says that its Locations are absolute
 *   --large-layer-mib N   size of the one large layer (1024)
 *   --list                name the clients and end
 *
 * Without `--registry` it builds Stowage and starts it twice, once as it is and once with `--public-url`. Prints a line a
 * check and last `N passed, N failed`; the exit code is 0 only when nothing failed.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { clients } from './clients.ts'
import { type Client, createContext, createReport, type LocationMode, seconds, StepFailed } from './harness.ts'
import { buildStowage, onStowage } from './stowage-server.ts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    registry: { type: 'string' },
    absolute: { type: 'boolean', default: false },
    'large-layer-mib': { type: 'string', default: '1024' },
    list: { type: 'boolean', default: false },
  },
})

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)))
}

const log = (line: string) => console.log(`        ${line}`)

async function main(): Promise<number> {
  if (options.list) {
    for (const { name, modes } of clients) console.log(`${name} (${modes.join(', ')})`)
    return 0
  }
  const unknown = positionals.filter((name) => !clients.some((client) => client.name === name))
  if (unknown.length > 0) {
    console.error(`no client is named ${unknown.join(', ')}; there are: ${clients.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const largeLayerBytes = Number(options['large-layer-mib']) * 2 ** 20
  if (!Number.isSafeInteger(largeLayerBytes) || largeLayerBytes <= 0) {
    console.error(`--large-layer-mib must be a whole number above 0, not "${options['large-layer-mib']}"`)
    return 2
  }
  const chosen = clients.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const report = createReport()
  const timings: string[] = []
  const directory = await mkdtemp(join(tmpdir(), 'stowage-clients-'))
  const runClient = async (client: Client, mode: LocationMode, url: string) => {
    const started = performance.now()
    const before = report.passed + report.failed
    const workDir = join(directory, `${client.name}-${mode}`)
    try {
      await mkdir(workDir)
      const { signal } = stop
      await client.run(createContext({ client: client.name, url, mode, workDir, largeLayerBytes, signal, report, log }))
      if (report.passed + report.failed === before) throw new Error('this client ran without a single check')
    } catch (error) {
      stop.signal.throwIfAborted()
      if (!(error instanceof StepFailed)) report.fail(`${client.name} (${mode})`, error)
    } finally {
      await rm(workDir, { recursive: true, force: true })
    }
    const checks = report.passed + report.failed - before
    timings.push(`${client.name} (${mode}): ${checks} checks, ${seconds(performance.now() - started)}`)
  }
  const runAll = async (mode: LocationMode, url: string) => {
    for (const client of chosen) {
      if (client.modes.includes(mode)) await runClient(client, mode, url)
    }
  }
  try {
    if (options.registry !== undefined) {
      await runAll(options.absolute ? 'absolute' : 'relative', options.registry)
    } else {
      await buildStowage(stop.signal)
      for (const mode of ['relative', 'absolute'] as const) {
        if (!chosen.some(({ modes }) => modes.includes(mode))) continue
        const home = join(directory, `registry-${mode}`)
        await mkdir(home)
        await onStowage({ directory: home, publicUrl: mode === 'absolute', signal: stop.signal }, report, (url) =>
          runAll(mode, url),
        )
        await rm(home, { recursive: true, force: true })
      }
    }
    if (timings.length === 0)
      report.fail('clients', new Error('no client was run: none of those named knows this mode'))
  } catch (error) {
    report.fail('clients', error)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  console.log()
  for (const timing of timings) console.log(timing)
  for (const failure of report.failures) console.log(`failed: ${failure}`)
  console.log(`${report.passed} passed, ${report.failed} failed`)
  return report.failed === 0 ? 0 : 1
}

process.exitCode = await main()
