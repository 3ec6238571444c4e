/**
 * Runs real registry clients against the registry: `node test/clients/run.ts [options] [client…]`
 *
 *   --registry URL        test the registry at URL and start none; `--absolute` says that its Locations are absolute
 *   --large-layer-mib N   size of the one large layer (1024)
 *   --list                name the clients and end
 *
 * Without `--registry` it builds Stowage and starts it three times: as it is, with `--public-url`, and with accounts. Prints a
 * line a check and last `N passed, N failed`; the exit code is 0 only when nothing failed.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accountsClients } from './accounts/clients.ts'
import { assertNoSecrets } from './accounts/no-secrets.ts'
import { adminPassword, makeAccounts } from './accounts/test-accounts.ts'
import { clients } from './clients.ts'
import { type ClientContext, createContext, createReport, type LocationMode, seconds, StepFailed } from './harness.ts'
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
    for (const { name } of accountsClients) console.log(`${name} (accounts)`)
    return 0
  }
  const names = new Set([...clients, ...accountsClients].map(({ name }) => name))
  const unknown = positionals.filter((name) => !names.has(name))
  if (unknown.length > 0) {
    console.error(`no client is named ${unknown.join(', ')}; there are: ${[...names].join(', ')}`)
    return 2
  }
  const isChosen = ({ name }: { readonly name: string }) => positionals.length === 0 || positionals.includes(name)
  const largeLayerBytes = Number(options['large-layer-mib']) * 2 ** 20
  if (!Number.isSafeInteger(largeLayerBytes) || largeLayerBytes <= 0) {
    console.error(`--large-layer-mib must be a whole number above 0, not "${options['large-layer-mib']}"`)
    return 2
  }
  const chosen = clients.filter(isChosen)
  const chosenWithAccounts = accountsClients.filter(isChosen)
  const report = createReport()
  const timings: string[] = []
  const directory = await mkdtemp(join(tmpdir(), 'stowage-clients-'))
  const runClient = async (
    client: string,
    { url, mode, label = mode }: { readonly url: string; readonly mode: LocationMode; readonly label?: string },
    use: (context: ClientContext) => unknown,
  ) => {
    const name = `${client} (${label})`
    const started = performance.now()
    const before = report.passed + report.failed
    const workDir = join(directory, `${client}-${label}`)
    try {
      await mkdir(workDir)
      const { signal } = stop
      await use(createContext({ client, url, mode, label, workDir, largeLayerBytes, signal, report, log }))
      if (report.passed + report.failed === before) throw new Error('this client ran without a single check')
    } catch (error) {
      stop.signal.throwIfAborted()
      if (!(error instanceof StepFailed)) report.fail(name, error)
    } finally {
      await rm(workDir, { recursive: true, force: true })
    }
    const checks = report.passed + report.failed - before
    timings.push(`${name}: ${checks} checks, ${seconds(performance.now() - started)}`)
  }
  const runAll = async (mode: LocationMode, url: string) => {
    for (const client of chosen) {
      if (client.modes.includes(mode)) await runClient(client.name, { url, mode }, (context) => client.run(context))
    }
  }
  const runAllWithAccounts = async () => {
    const home = join(directory, 'registry-accounts')
    await mkdir(home)
    const env = { STOWAGE_ADMIN_PASSWORD: adminPassword, STOWAGE_LOG_LEVEL: 'debug' }
    let secrets: readonly string[] = []
    let metrics = ''
    await onStowage(
      { directory: home, publicUrl: false, accounts: true, env, signal: stop.signal },
      report,
      async (url) => {
        const accounts = await makeAccounts(join(home, 'data'), stop.signal)
        secrets = accounts.secrets
        // Five wrong passwords for one name are the last that are answered at once: guesses are spread.
        const guessed = [accounts.writer, accounts.reader, accounts.dinosaur]
        for (const [index, client] of chosenWithAccounts.entries()) {
          const wrong = { name: guessed[index % guessed.length]?.name ?? '', password: 'not the password' }
          const place = { url, mode: 'relative', label: 'accounts' } as const
          await runClient(client.name, place, (context) => client.run({ ...context, accounts: { ...accounts, wrong } }))
        }
        metrics = await (await fetch(`${url}/metrics`)).text()
      },
    )
    const title = 'stowage serve (accounts): no password, token or hash is in its log or among its metrics'
    try {
      const written = await readFile(join(home, 'stowage.log'), 'utf8')
      // At the level that writes every request: a log without them proves nothing.
      if (!written.includes('"actor":"writer"')) throw new Error('the log does not have what the writer did')
      assertNoSecrets('the log', written, secrets)
      assertNoSecrets('the metrics', metrics, secrets)
      report.ok(title)
    } catch (error) {
      report.fail(title, error)
    }
    await rm(home, { recursive: true, force: true })
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
      if (chosenWithAccounts.length > 0) await runAllWithAccounts()
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
