/**
 * Runs the client in a browser: `npm run build && node test/runtimes/browser.ts`
 *
 * Starts registries on the loopback address and a page of another origin, which Debian's Chromium opens. The page loads the built
 * packages as modules, without a bundler, and goes through the checks in `client/`. Prints a line a check and last
 * `N passed, N failed`; the exit code is 0 only when nothing failed.
 */
import { equal, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { findProgram } from '../clients/command.ts'
import { createReport } from '../clients/harness.ts'
import { repositoryRoot } from '../clients/stowage-server.ts'
import { reachableFrom } from './client/imports.ts'
import { entries, startPageServer } from './client/page-server.ts'
import { type ClientServers, startClientServers } from './client/servers.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)))
}
// A run takes less than one; a page that hangs is closed.
setTimeout(() => stop.abort(new Error('ended after five minutes')), 5 * 60_000).unref()
const { signal } = stop
const report = createReport()

async function check(name: string, body: () => Promise<void>): Promise<void> {
  signal.throwIfAborted()
  const started = performance.now()
  try {
    await body()
    report.ok(name, performance.now() - started)
  } catch (error) {
    signal.throwIfAborted()
    report.fail(name, error)
  }
}

try {
  for (const [name, entry] of Object.entries(entries))
    await check(`${name} reaches nothing of Node`, async () => walk(entry))
  await using pages = await startPageServer()
  await using servers = await startClientServers(pages.origin)
  await using browser = await startBrowser()
  const page = await browser.open(pages.origin)
  await check('the page is of another site than the registries, in a secure context', async () => {
    equal(await page.evaluate(() => (globalThis as unknown as { isSecureContext: boolean }).isSecureContext), true)
    ok(pages.origin.startsWith('http://localhost:'))
  })
  await runInPage(page, servers)
  await check('the registries were asked by a page, from another site', async () => asked(servers))
  await check('the page has all it asked for, and reported no error', async () => {
    equal(pages.missing.join(' '), '')
    equal(browser.errors.join('\n'), '')
  })
} catch (error) {
  report.fail('browser', error)
}
console.log(`\n${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed === 0 ? 0 : 1

/** The page that loads is the proof; this says which file is to blame. */
async function walk(entry: string): Promise<void> {
  const { files, named } = await reachableFrom(join(repositoryRoot, entry))
  ok(files.length > 5, `Only ${files.length} files were found.`)
  for (const [target, file] of named) {
    const known = Object.hasOwn(entries, target) || target.startsWith('@noble/hashes/')
    ok(known, `${file} imports ${target}.`)
  }
}

/** Every request that the faulty registry has seen says whether it came from a page. */
async function asked({ faulty }: ClientServers): Promise<void> {
  ok(faulty.requests.length > 20)
  for (const { method, target, headers } of faulty.requests) {
    equal(headers['sec-fetch-site'], 'cross-site', `${method} ${target}`)
  }
  ok(faulty.seen({ method: 'OPTIONS' }).length > 0, 'No preflight was seen.')
  equal(faulty.leaks.length, 0, 'Credentials went to another origin.')
  const ranges = faulty.seen({ method: 'PATCH', path: /\/cut\// }).map(({ headers }) => headers['content-range'])
  ok(
    ranges.length > 1 && !ranges.at(-1)?.startsWith('0-'),
    `The upload that was cut went on with ${ranges.join(', ')}.`,
  )
}

async function runInPage(page: Page, { addresses }: ClientServers): Promise<void> {
  await page.exposeFunction('report', (name: string, took: number, failure?: string) => {
    if (failure === undefined) report.ok(`in the page: ${name}`, took)
    else report.fail(`in the page: ${name}`, new Error(failure))
  })
  const began = report.passed + report.failed
  await page.evaluate(async (servers) => {
    const load = async (path: string): Promise<typeof import('./client/page.ts')> => import(path)
    await (await load('/test/runtimes/client/page.ts')).runInPage(servers)
  }, addresses)
  ok(report.passed + report.failed - began > 30, 'The page has not gone through its checks.')
}

async function startBrowser() {
  const args = [
    // Debian's Chromium has no sandbox for root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    '--no-proxy-server',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ]
  const executablePath = findProgram('chromium')
  const browser: Browser = await chromium.launch({ executablePath, args, handleSIGINT: false, handleSIGTERM: false })
  const close = async (): Promise<void> => browser.close()
  signal.addEventListener('abort', () => void close())
  report.ok(`Chromium ${browser.version()} has started`)
  const errors: string[] = []
  return {
    errors,
    open: async (url: string): Promise<Page> => {
      const page = await browser.newPage()
      page.on('pageerror', (error) => errors.push(error.stack ?? error.message))
      await page.goto(url)
      return page
    },
    [Symbol.asyncDispose]: close,
  }
}
