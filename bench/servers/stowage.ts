import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startChild } from '../child.ts'
import { type BenchServer, freePort, whenAnswering } from './server.ts'

export const program = fileURLToPath(new URL('../../packages/stowage/dist/main.js', import.meta.url))

export const stowage = {
  name: 'stowage',
  kind: 'registry',
  setup:
    'stowage serve with its defaults (SQLite with synchronous=FULL, file system, every 201 durable), log level error, stdout to /dev/null',
  version: () => (existsSync(program) ? `${readVersion()} on Node ${process.version}` : undefined),
  start: async ({ directory, profile }) => {
    const port = await freePort()
    const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
    const child = startChild(
      process.execPath,
      [...profiling, program, 'serve', `127.0.0.1:${port}`, '--data', join(directory, 'data'), '--log-level', 'error'],
      { DISABLE_AUTHENTICATION: 'yes' },
    )
    return whenAnswering('stowage', `http://127.0.0.1:${port}`, child)
  },
} satisfies BenchServer

function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(new URL('../package.json', pathToFileURL(program)), 'utf8'))
  if (typeof description === 'object' && description !== null && 'version' in description)
    return String(description.version)
  throw new Error('the package of stowage has no version')
}
