/**
 * What a newcomer does: clones the repository into an empty folder, runs `npm ci` (without install scripts) and `npm start` with
 * whatever Node the machine has, and pushes and pulls by the banner's address. `node test/first-start.ts`
 */
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { run } from './clients/command.ts'
import { createContext, createReport } from './clients/harness.ts'
import { freePort } from './clients/loopback.ts'
import { repositoryRoot } from './clients/stowage-server.ts'

/** The machine's own programs: not the Node that this repository brings. */
const path = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((directory) => !directory.includes('node_modules'))
  .join(delimiter)
const env = { PATH: path }
const { signal } = new AbortController()

const directory = await mkdtemp(join(tmpdir(), 'stowage-first-start-'))
const clone = join(directory, 'stowage')
const report = createReport()
const { check, step } = createContext({
  client: 'first start',
  url: 'http://127.0.0.1',
  mode: 'relative',
  workDir: directory,
  largeLayerBytes: 0,
  signal,
  report,
  log: console.log,
})

try {
  await step('git clone', async () => run('git', ['clone', '--quiet', repositoryRoot, clone], { env }))
  const system = await run('node', ['--version'], { env })
  await step(`npm ci --ignore-scripts with Node ${system.stdout.trim()}`, async () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: clone, env }),
  )
  const address = `127.0.0.1:${await freePort()}`
  const data = join(directory, 'data')
  const server = spawn('npm', ['start', '--', address, '--data', data], {
    cwd: clone,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm, a shell and the server are one group, as in a terminal.
    detached: true,
  })
  let output = ''
  const ended = once(server, 'exit')
  server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  server.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  try {
    await step('npm start prints its URL', async () => {
      for (let waited = 0; !output.includes(`http://${address}`); waited += 200) {
        if (waited > 120_000 || server.exitCode !== null) throw new Error(`no banner: ${output}`)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    })
    await check('the banner shows the commands of a first push', () => {
      if (!/push/.test(output)) throw new Error(output)
    })
    await check('GET /v2/ is {"success":true}', async () => {
      const text = await (await fetch(`http://${address}/v2/`)).text()
      if (text !== '{"success":true}') throw new Error(text)
    })
    await check('a blob goes in and comes out', async () => {
      const digest = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
      const pushed = await fetch(`http://${address}/v2/demo/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        body: 'hello',
      })
      if (pushed.status !== 201) throw new Error(`push answered ${pushed.status}`)
      const pulled = await (await fetch(`http://${address}/v2/demo/blobs/${digest}`)).text()
      if (pulled !== 'hello') throw new Error(pulled)
    })
    await check('Ctrl-C ends it', async () => {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGINT')
      await ended
    })
  } finally {
    if (server.exitCode === null && server.signalCode === null && server.pid !== undefined)
      process.kill(-server.pid, 'SIGKILL')
  }
} catch (error) {
  if (report.failed === 0) report.fail('first start', error)
} finally {
  await rm(directory, { recursive: true, force: true })
}
console.log(`${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed === 0 ? 0 : 1
