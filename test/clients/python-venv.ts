/** A Python virtual environment with the seed's client in it, made once and kept under `node_modules/.cache`. */
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, MissingPrerequisite, run } from './command.ts'
import { seconds } from './harness.ts'
import { repositoryRoot } from './stowage-server.ts'

const packages = ['opencontainers==0.0.14', 'requests==2.34.2']

/** The path of an interpreter that can import `opencontainers` and `requests`. */
export async function pythonWithClients(signal: AbortSignal, log: (line: string) => void): Promise<string> {
  const directory = join(repositoryRoot, 'node_modules', '.cache', `stowage-python-${packages.join('-')}`)
  const python = join(directory, 'bin', 'python')
  // Written last: an environment without it was not finished.
  const complete = join(directory, 'complete')
  if (existsSync(complete)) return python
  const started = performance.now()
  const base = findProgram('python3')
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  try {
    await run(base, ['-m', 'venv', directory], { signal })
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
    await run(python, ['-m', 'pip', 'install', ...quiet, ...packages], { signal })
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    throw new MissingPrerequisite(`no Python environment with ${packages.join(' and ')}: ${reason}`, { cause: error })
  }
  await writeFile(complete, '')
  log(`installed ${packages.join(' and ')} in ${seconds(performance.now() - started)}`)
  return python
}
