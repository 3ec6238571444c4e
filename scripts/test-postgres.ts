/**
 * Starts a PostgreSQL of its own in a temporary directory, runs the tests that need one, and takes it down again, also
 * when they fail or are interrupted. Arguments go to vitest.
 */
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = join(import.meta.dirname, '..')

/** Where Debian has the server's programs, newest version first; `POSTGRES_BIN` for other places. */
const findPrograms = (): string => {
  const wanted = process.env['POSTGRES_BIN']
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const places = wanted === undefined ? versions.map((version) => join(debian, version, 'bin')) : [wanted]
  const found = places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'postgres')))
  if (found !== undefined) return found
  throw new Error(
    'PostgreSQL (initdb, postgres) is not installed: apt-get install postgresql, or name its bin directory in POSTGRES_BIN.',
  )
}

/** PostgreSQL refuses to run as root: then its programs run as the user that Debian made for them. */
const findUser = async (): Promise<{ uid: number; gid: number } | undefined> => {
  if (process.getuid?.() !== 0) return undefined
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (user === undefined) throw new Error('PostgreSQL cannot run as root, and there is no user postgres or nobody.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

const succeed = async (program: string, args: readonly string[], options: SpawnOptions): Promise<void> => {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}.`)
}

const untilReady = async (server: ChildProcess, programs: string, directory: string): Promise<void> => {
  for (let tries = 0; tries < 600; tries += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}; see above.`)
    // One look after the other.
    const [code] = await once(
      spawn(join(programs, 'pg_isready'), ['-q', '-h', directory, '-U', 'stowage', '-d', 'postgres'], {
        stdio: 'ignore',
      }),
      'exit',
    )
    if (code === 0) return
    await sleep(100)
  }
  throw new Error('PostgreSQL did not get ready within a minute.')
}

const main = async (interruption: AbortSignal): Promise<number> => {
  const programs = findPrograms()
  const user = await findUser()
  await using cleanup = new AsyncDisposableStack()

  const directory = await mkdtemp(join(tmpdir(), 'stowage-pg-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  if (user !== undefined) await chown(directory, user.uid, user.gid)
  const options = { cwd: directory, ...user }
  const data = join(directory, 'data')

  // A locale in which the order of names is not byte order: the store must not depend on it.
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US']
  await succeed(join(programs, 'initdb'), ['-D', data, '-U', 'stowage', '-A', 'trust', ...locale], options)

  // Only a socket in a directory of its own: no port to collide on, and nobody else gets in.
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-k', directory, '-c', 'listen_addresses=', '-c', 'log_min_messages=fatal'],
    // In a group of its own: an interrupt from the keyboard must not reach it before the tests have ended.
    { ...options, detached: true, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const ended = once(server, 'exit')
  cleanup.defer(async () => {
    // A fast shutdown: it does not wait for clients.
    server.kill('SIGINT')
    await ended
  })
  await untilReady(server, programs, directory)
  interruption.throwIfAborted()

  const connection = `postgresql://stowage@localhost/postgres?host=${encodeURIComponent(directory)}`
  const vitest = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      join(root, 'packages/postgres/vitest.config.ts'),
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, STOWAGE_TEST_POSTGRES: connection } },
  )
  interruption.addEventListener('abort', () => vitest.kill())
  const [code] = await once(vitest, 'exit')
  return typeof code === 'number' ? code : 1
}

try {
  const interruption = new AbortController()
  // At whatever moment it comes: what has been started is ended, then this program.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => interruption.abort(new Error(`interrupted by ${signal}.`)))
  }
  process.exitCode = await main(interruption.signal)
} catch (error) {
  console.error(`test:postgres: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
