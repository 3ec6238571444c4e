/**
 * Runs the OCI's own conformance program for the distribution specification against a registry, with everything it can test:
 * `node test/conformance/run.ts [registry-url]`
 *
 * Without a URL it builds Stowage and starts it. A registry under test must take manifests whose layers it does not have
 * (Stowage: `STOWAGE_ALLOW_MISSING_BLOBS=true`), for the sparse data of the program. Prints every check that is not a pass
 * and last `N passed, N failed`; the exit code is 0 only when nothing failed, was skipped or was disabled.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandResult, run } from '../clients/command.ts'
import { type GoTool, installGoTool } from '../clients/go-tool.ts'
import { seconds } from '../clients/harness.ts'
import { buildStowage, startStowage } from '../clients/stowage-server.ts'
import { type Outcome, readOutcome } from './outcome.ts'

/**
 * The specification's main branch of 2026-08-31. Its module has no released versions. The program tests what that of
 * 2026-07-16 (commit 967efdc) does and no longer lets Go's client ask for compressed answers.
 */
const program: GoTool = {
  name: 'conformance',
  package: 'github.com/opencontainers/distribution-spec/conformance',
  version: 'v0.0.0-20260831232431-97274622c111',
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)))
}

async function main(registry: string | undefined): Promise<number> {
  const { signal } = stop
  const started = performance.now()
  const conformance = await installGoTool(program, signal, console.log)
  // Fresh, because the program leaves an old report in place when it cannot write a new one, and still ends with code 0.
  const directory = await mkdtemp(join(tmpdir(), 'stowage-conformance-'))
  try {
    await using servers = new AsyncDisposableStack()
    let url = registry
    if (url === undefined) {
      await buildStowage(signal)
      const env = { STOWAGE_ALLOW_MISSING_BLOBS: 'true' }
      url = servers.use(await startStowage({ directory, publicUrl: false, env, signal })).url
    }
    const result = await runProgram(conformance, url, directory)
    const outcome = await readOutcome(join(directory, 'results'), url, result)
    report(outcome)
    console.log(`${program.package} ${program.version}: ${seconds(performance.now() - started)}`)
    console.log(`${outcome.passed} passed, ${outcome.problems.length} failed`)
    return outcome.problems.length === 0 ? 0 : 1
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function runProgram(conformance: string, url: string, directory: string): Promise<CommandResult> {
  const { host, protocol } = new URL(url)
  const name = randomBytes(4).toString('hex')
  return run(conformance, [], {
    // The program reads a configuration file in its working directory: there is none in this one.
    cwd: directory,
    env: {
      ...withoutInherited(),
      OCI_REGISTRY: host,
      OCI_TLS: protocol === 'https:' ? 'enabled' : 'disabled',
      // Names of their own: what an earlier run left in a registry is not what this one pushed.
      OCI_REPO1: `conformance-${name}/repo1`,
      OCI_REPO2: `conformance-${name}/repo2`,
      OCI_VERSION: 'dev',
      // The one thing that is off in version `dev`: manifests that name content which was never pushed.
      OCI_DATA_SPARSE: 'true',
      OCI_RESULTS_DIR: join(directory, 'results'),
      OCI_LOG: 'error',
    },
    signal: stop.signal,
    exitCodes: [0, 1],
  })
}

/** A setting of the program that stands in our own environment must not turn a check off. */
function withoutInherited(): Record<string, string> {
  const inherited = Object.keys(process.env).filter((name) => name.startsWith('OCI_'))
  return Object.fromEntries(inherited.map((name) => [name, '']))
}

function report({ problems, single }: Outcome): void {
  for (const problem of problems) console.log(`FAILED  ${problem.replace(/\n(?=.)/g, '\n        ')}`)
  if (problems.length === 0)
    console.log(`ok      all ${single} single checks and their groups: none failed, skipped or disabled`)
}

const [registry, ...more] = process.argv.slice(2)
if (more.length > 0 || (registry !== undefined && !URL.canParse(registry))) {
  console.error('usage: node test/conformance/run.ts [registry-url]')
  process.exitCode = 2
} else {
  process.exitCode = await main(registry)
}
