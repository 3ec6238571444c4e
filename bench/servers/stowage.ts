import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startChild } from '../child.ts'
import { type BenchServer, freePort, whenAnswering } from './server.ts'

export const program = fileURLToPath(new URL('../../packages/stowage/dist/main.js', import.meta.url))

export const stowage = stowageOf('stowage', program)

/** The Stowage of another checkout, which has been built: what it was before a change. */
export const stowageBefore = (checkout: string): BenchServer =>
  stowageOf('stowage before', join(checkout, 'packages', 'stowage', 'dist', 'main.js'))

function stowageOf(name: string, main: string): BenchServer {
  return {
    name,
    kind: 'registry',
    setup:
      'stowage serve with its defaults (SQLite with synchronous=FULL, file system, every 201 durable), log level error, stdout to /dev/null',
    version: () => (existsSync(main) ? `${readVersion(main)} on Node ${process.version}` : undefined),
    start: async ({ directory, profile }) => {
      const port = await freePort()
      const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
      const child = startChild(
        process.execPath,
        [...profiling, main, 'serve', `127.0.0.1:${port}`, '--data', join(directory, 'data'), '--log-level', 'error'],
        { DISABLE_AUTHENTICATION: 'yes' },
      )
      return whenAnswering(name, `http://127.0.0.1:${port}`, child)
    },
  }
}

function readVersion(main: string): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../package.json', pathToFileURL(main)), 'utf8'))
  if (typeof description === 'object' && description !== null && 'version' in description)
    return String(description.version)
  throw new Error('the package of stowage has no version')
}
