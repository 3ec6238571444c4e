import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { versionOf } from '../child.ts'

export interface GoProgram {
  readonly name: string
  /** Import path of the main package. */
  readonly package: string
  readonly version: string
  readonly tags?: string
}

/** Where a program is when it has been installed; outside the repository, it outlives the run. */
export function goProgramPath({ name, version }: GoProgram): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return join(cache, 'stowage-bench', 'bin', `${name}-${version}`)
}

/**
 * Installs the program with `go install` unless it is there. Returns why it cannot be had, or undefined when it is there.
 */
export function installGoProgram(program: GoProgram): string | undefined {
  const path = goProgramPath(program)
  if (existsSync(path)) return undefined
  if (versionOf('go', ['version']) === undefined) return 'no Go toolchain'
  const place = `${path}.install`
  mkdirSync(place, { recursive: true })
  try {
    execFileSync(
      'go',
      [
        'install',
        ...(program.tags === undefined ? [] : ['-tags', program.tags]),
        `${program.package}@${program.version}`,
      ],
      {
        env: { ...process.env, GOBIN: place, CGO_ENABLED: '0' },
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    renameSync(join(place, basename(program.package)), path)
    return undefined
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    // The end of the last line is the reason; what stands before it are paths and addresses.
    return `go install ${program.package}@${program.version} failed: ${said.trim().split(/\n|: /).at(-1) ?? ''}`
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
