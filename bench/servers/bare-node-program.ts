import { createReadStream, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** One answer of the bare server, as the list that it is started with holds it. */
export interface ServedFile {
  readonly path: string
  readonly file: string
  readonly headers: Readonly<Record<string, string>>
}

const mostInMemory = 1024 * 1024

if (import.meta.main) {
  const [port, list] = process.argv.slice(2)
  if (port === undefined || list === undefined) throw new Error('usage: bare-node-program.ts PORT FILE-LIST')
  // The bench wrote the list a moment ago.
  const files = JSON.parse(readFileSync(list, 'utf8')) as ServedFile[]
  serve(Number(port), files)
}

function serve(port: number, files: readonly ServedFile[]): void {
  const answers = new Map(
    files.map(({ path, file, headers }) => {
      const bytes = Number(headers['content-length']) <= mostInMemory ? readFileSync(file) : undefined
      return [path, { bytes, file, headers }]
    }),
  )
  createServer((request, response) => {
    const answer = answers.get(request.url ?? '')
    if (answer === undefined) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, answer.headers)
    if (request.method === 'HEAD') response.end()
    else if (answer.bytes !== undefined) response.end(answer.bytes)
    else createReadStream(answer.file).pipe(response)
  }).listen(port, '127.0.0.1')
}
