/** Bun itself, from its makers' npm package for this platform: kept under `node_modules/.cache`, a directory for each version. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, MissingPrerequisite, run } from '../clients/command.ts'
import { seconds } from '../clients/harness.ts'
import { repositoryRoot } from '../clients/stowage-server.ts'

export const bunVersion = '1.4.5'

/** The path of the program. No install script runs: the package is the program. */
export async function installBun(signal: AbortSignal, log: (line: string) => void): Promise<string> {
  const cpu = { x64: 'x64', arm64: 'aarch64' }[process.arch as string]
  if (cpu === undefined || (process.platform !== 'linux' && process.platform !== 'darwin')) {
    throw new MissingPrerequisite(`Bun is not installed here for ${process.platform} on ${process.arch}`)
  }
  const name = `@oven/bun-${process.platform}-${cpu}`
  const cache = join(repositoryRoot, 'node_modules', '.cache', 'stowage-bun')
  const home = join(cache, bunVersion)
  const program = join(home, 'node_modules', name, 'bin', 'bun')
  if (existsSync(program)) return program
  const started = performance.now()
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(join(cache, 'installing-'))
  try {
    // A package of its own, or npm would add it to the one it finds above.
    await writeFile(join(unfinished, 'package.json'), '{"private":true}')
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error']
    await run(findProgram('npm'), ['install', ...quiet, `${name}@${bunVersion}`], { cwd: unfinished, signal })
    await rm(home, { recursive: true, force: true })
    await rename(unfinished, home)
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    throw new MissingPrerequisite(`Bun ${bunVersion} could not be installed by npm: ${reason}`, { cause: error })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  log(`installed Bun ${bunVersion} in ${seconds(performance.now() - started)}`)
  return program
}
