import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChild, versionOf } from '../child.ts'
import { type GoProgram, goProgramPath } from './go-program.ts'
import { type BenchServer, freePort, whenAnswering } from './server.ts'

export const zotProgram: GoProgram = {
  name: 'zot',
  package: 'zotregistry.dev/zot/v2/cmd/zot',
  version: 'v2.1.20',
}

export const zot = {
  name: 'zot 2',
  kind: 'registry',
  setup: `${zotProgram.version}, built without extensions; its defaults (dedupe and garbage collection on), log level error`,
  version: () => {
    const path = goProgramPath(zotProgram)
    return existsSync(path) ? (versionOf(path, ['--version']) ?? zotProgram.version) : undefined
  },
  start: async ({ directory }) => {
    const port = await freePort()
    const file = join(directory, 'config.json')
    await writeFile(
      file,
      JSON.stringify({
        distSpecVersion: '1.1.1',
        storage: { rootDirectory: join(directory, 'data') },
        http: { address: '127.0.0.1', port: `${port}` },
        log: { level: 'error', output: '/dev/null' },
      }),
    )
    const child = startChild(goProgramPath(zotProgram), ['serve', file])
    return whenAnswering('zot 2', `http://127.0.0.1:${port}`, child)
  },
} satisfies BenchServer
