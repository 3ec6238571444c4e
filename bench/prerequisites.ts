import { versionOf } from './child.ts'
import { distribution, distributionProgram } from './servers/distribution.ts'
import { dockerRegistry } from './servers/docker-registry.ts'
import { installGoProgram } from './servers/go-program.ts'
import { nginxSendfile } from './servers/nginx.ts'
import type { BenchServer } from './servers/server.ts'
import { stowage } from './servers/stowage.ts'
import { zot, zotProgram } from './servers/zot.ts'

export interface Prerequisites {
  readonly versions: Readonly<Record<string, string>>
  /** Peers that are not measured, each with the reason. */
  readonly absent: readonly string[]
  readonly wanted: (server: BenchServer) => boolean
}

/**
 * Throws with the names of everything that is missing. distribution 3 and zot 2 are installed where there is a Go
 * toolchain; that they cannot be had is said in the results, and is no fault.
 */
export function checkPrerequisites(without: readonly string[]): Prerequisites {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 24) throw new Error(`the bench needs Node 24, this is ${process.version}: run it as \`npm run bench\``)
  const needed: { name: string; version: () => string | undefined; remedy: string }[] = [
    { name: 'wrk', version: () => versionOf('wrk', ['-v']), remedy: 'apt-get install wrk' },
    { name: 'strace', version: () => versionOf('strace', ['--version']), remedy: 'apt-get install strace' },
    { name: 'nginx', version: nginxSendfile.version, remedy: 'apt-get install nginx' },
    { name: dockerRegistry.name, version: dockerRegistry.version, remedy: 'apt-get install docker-registry' },
    { name: stowage.name, version: stowage.version, remedy: 'npm run build' },
  ]
  const versions: Record<string, string> = {}
  const missing: string[] = []
  for (const { name, version, remedy } of needed.filter((part) => !without.includes(part.name))) {
    const found = version()
    if (found === undefined) missing.push(`${name} (${remedy})`)
    else versions[name] = found
  }
  if (missing.length > 0) throw new Error(`the bench cannot run, these are missing: ${missing.join('; ')}`)

  const absent = without.map((name) => `${name}: not asked for`)
  const absentNames = new Set(without)
  for (const { server, program } of [
    { server: distribution, program: distributionProgram },
    { server: zot, program: zotProgram },
  ]) {
    if (absentNames.has(server.name)) continue
    const reason = installGoProgram(program)
    if (reason === undefined) {
      versions[server.name] = server.version() ?? program.version
    } else {
      absent.push(`${server.name}: ${reason}`)
      absentNames.add(server.name)
    }
  }
  return { versions, absent, wanted: ({ name }) => !absentNames.has(name) }
}
