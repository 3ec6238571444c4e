/**
 * Programs that come as Go modules: installed by `go install` at a pinned version, once. The programs are kept under
 * `node_modules/.cache`, a directory for each version; what Go itself keeps of the build stays in Go's own caches.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram, MissingPrerequisite, run } from './command.ts'
import { seconds } from './harness.ts'
import { repositoryRoot } from './stowage-server.ts'

export interface GoTool {
  readonly name: string
  /** The package that `go install` is given, for instance `oras.land/oras/cmd/oras`. */
  readonly package: string
  readonly version: string
}

/** The path of the installed program. */
export async function installGoTool(tool: GoTool, signal: AbortSignal, log: (line: string) => void): Promise<string> {
  const cache = join(repositoryRoot, 'node_modules', '.cache', 'stowage-go')
  const home = join(cache, `${tool.name}-${tool.version}`)
  const program = join(home, tool.name)
  if (existsSync(program)) return program
  const go = findProgram('go', 'install Go 1.24 or newer from your distribution or its maker')
  const started = performance.now()
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(join(cache, 'installing-'))
  try {
    // The modules need no C compiler, and none may be on the machine.
    const env = { GOBIN: unfinished, CGO_ENABLED: '0', GOOS: '', GOARCH: '' }
    await run(go, ['install', `${tool.package}@${tool.version}`], { cwd: unfinished, env, signal })
    await rm(home, { recursive: true, force: true })
    await rename(unfinished, home)
  } catch (error) {
    signal.throwIfAborted()
    const reason = error instanceof Error ? error.message : String(error)
    throw new MissingPrerequisite(`${tool.name} ${tool.version} could not be installed by Go: ${reason}`, {
      cause: error,
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  log(`installed ${tool.name} ${tool.version} in ${seconds(performance.now() - started)}`)
  return program
}
