/** The client on Bun, against registries on Node: its root entry with Bun's own `fetch`, and its entry for Node. */
import { equal, ok } from 'node:assert/strict'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { createRegistry } from '@stowage/registry'
import { toNodeHandler } from '@stowage/registry/node'
import { selfSigned } from '@stowage/testkit'
import { run } from '../clients/command.ts'
import type { Report } from '../clients/harness.ts'
import { repositoryRoot } from '../clients/stowage-server.ts'
import type { NodeFacts } from './client/node-checks.ts'
import { listen, listening, startClientServers } from './client/servers.ts'

const program = join(repositoryRoot, 'test', 'runtimes', 'client', 'program.ts')

/** A run takes seconds; one that hangs is ended. */
const tooLong = (): AbortSignal => AbortSignal.timeout(5 * 60_000)

/** @param directory Empty; the caller removes it. */
export const testClientOnBun = async (
  bun: string,
  directory: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> => {
  await using secure = await startSecure()
  for (const [what, least] of [
    ['root', 30],
    ['node', 30],
    ['proxy', 1],
  ] as const) {
    // Each on registries that nobody has used.
    await using servers = await startClientServers('http://localhost')
    await using proxy = await startProxy()
    const facts: NodeFacts = { ...secure.facts, directory: await mkdtemp(join(directory, `${what}-`)) }
    const env = what === 'proxy' ? { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: '', no_proxy: '' } : {}
    const title = `the client on bun (${what})`
    try {
      const args = [program, what, JSON.stringify(servers.addresses), JSON.stringify(facts)]
      const { stdout } = await run(bun, args, { cwd: directory, env, signal: AbortSignal.any([signal, tooLong()]) })
      const lines = stdout.trim().split('\n')
      for (const line of lines) {
        const { name, took, failure } = JSON.parse(line) as { name: string; took: number; failure?: string }
        if (failure === undefined) report.ok(`${title}: ${name}`, took)
        else report.fail(`${title}: ${name}`, new Error(failure))
      }
      ok(lines.length >= least, `It has gone through ${lines.length} checks.`)
      equal(servers.faulty.leaks.length, 0, 'Credentials went to another origin.')
    } catch (error) {
      signal.throwIfAborted()
      report.fail(title, error)
    }
  }
}

/** Two registries that speak TLS, with a certificate that nobody knows. */
const startSecure = async () => {
  await using started = new AsyncDisposableStack()
  const certificate = selfSigned()
  const registry = started.use(await createRegistry({ storage: ':memory:' }))
  const handler = toNodeHandler(registry)
  const mutual = { ca: certificate.cert, requestCert: true, rejectUnauthorized: true }
  const one = started.use(await listening(createServer(certificate, handler)))
  const other = started.use(await listening(createServer({ ...certificate, ...mutual }, handler)))
  const kept = started.move()
  return {
    facts: { secure: one.host, mutual: other.host, certificate },
    [Symbol.asyncDispose]: async () => kept.disposeAsync(),
  }
}

/** Asks for what it is asked for, and warns of itself. */
const startProxy = async () =>
  listen(({ method, url = '', headers }, response) => {
    request(url, { method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, warning: '299 - "by the proxy"' })
      answer.pipe(response)
    }).end()
  })
