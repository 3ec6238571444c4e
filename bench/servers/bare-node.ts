import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from '../child.ts'
import type { ServedFile } from './bare-node-program.ts'
import { manifestType } from '../content.ts'
import { type BenchServer, freePort, whenAnswering } from './server.ts'

const program = fileURLToPath(new URL('bare-node-program.ts', import.meta.url))

/** What `node:http` itself costs: it looks the path up in a map and answers bytes that it has in memory. */
export const bareNode = {
  name: 'bare node:http',
  kind: 'files',
  setup:
    'the same Node, one process; the request target is looked up in a Map; manifests and blobs up to 1 MiB come from memory, ' +
    'larger ones from createReadStream',
  version: () => process.version,
  start: async ({ directory, content }) => {
    if (content === undefined) throw new Error('the bare server needs content to serve')
    const manifestFile = join(directory, 'manifest')
    await writeFile(manifestFile, content.manifest.bytes)
    const files: ServedFile[] = [
      {
        path: `/v2/${content.repository}/manifests/${content.tag}`,
        file: manifestFile,
        headers: headersOf(content.manifest.digest, content.manifest.bytes.byteLength, manifestType),
      },
      ...content.blobs.map(({ digest, size, file }) => ({
        path: `/v2/${content.repository}/blobs/${digest}`,
        file,
        headers: headersOf(digest, size, 'application/octet-stream'),
      })),
    ]
    const list = join(directory, 'files.json')
    await writeFile(list, JSON.stringify(files))
    const port = await freePort()
    const child = startChild(process.execPath, [program, `${port}`, list])
    return whenAnswering('bare node:http', `http://127.0.0.1:${port}`, child)
  },
} satisfies BenchServer

function headersOf(digest: string, size: number, type: string): Record<string, string> {
  return {
    'content-type': type,
    'content-length': `${size}`,
    'docker-content-digest': digest,
    'docker-distribution-api-version': 'registry/2.0',
    etag: `"${digest}"`,
  }
}
