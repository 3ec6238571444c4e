import { link, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { startChild, versionOf } from '../child.ts'
import { manifestType } from '../content.ts'
import { type BenchServer, freePort, type Place, whenAnswering } from './server.ts'

export const nginxSendfile = nginx(true)
export const nginxRead = nginx(false)

function nginx(sendfile: boolean): BenchServer {
  const name = `nginx sendfile ${sendfile ? 'on' : 'off'}`
  return {
    name,
    kind: 'files',
    setup:
      `Debian's package, a worker a core, sendfile ${sendfile ? 'on' : 'off'}, tcp_nopush on, ` +
      'access log off, no limit to requests on a connection (it closes after 1,000 otherwise)',
    version: () => versionOf('nginx', ['-v']),
    start: async ({ directory, content }: Place) => {
      if (content === undefined) throw new Error('nginx needs files to serve')
      const root = join(directory, 'root')
      const repository = join(root, 'v2', content.repository)
      await place(join(repository, 'manifests', content.tag), content.manifest.bytes)
      for (const blob of content.blobs) {
        await mkdir(join(repository, 'blobs'), { recursive: true })
        await link(blob.file, join(repository, 'blobs', blob.digest))
      }
      const port = await freePort()
      const file = join(directory, 'nginx.conf')
      await writeFile(file, configuration(directory, root, port, sendfile))
      const child = startChild('nginx', ['-c', file, '-p', directory, '-e', join(directory, 'error.log')])
      return whenAnswering(name, `http://127.0.0.1:${port}`, child)
    },
  }
}

async function place(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, bytes)
}

function configuration(directory: string, root: string, port: number, sendfile: boolean): string {
  // Workers of a root's nginx run as another user, who may not be let into the directory.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path "${join(directory, kind)}";`)
    .join('\n  ')
  return `daemon off;
${user}
worker_processes auto;
pid "${join(directory, 'nginx.pid')}";
events { worker_connections 768; }
http {
  ${temporary}
  sendfile ${sendfile ? 'on' : 'off'};
  tcp_nopush on;
  access_log off;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    root "${root}";
    location ~ /manifests/ { default_type ${manifestType}; }
  }
}
`
}
