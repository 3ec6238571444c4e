/** Stands before a registry and cuts one upload in the middle: what arrived until then is passed on, and then both ends are gone. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CuttingProxy extends AsyncDisposable {
  readonly host: string
  /** Cuts the next PATCH or PUT after so many bytes of its body. */
  cutAfter(bytes: number): void
  /** Bytes of bodies that the registry was sent behind what it had acknowledged already: sent twice without need. */
  readonly sentAgain: number
  readonly cuts: number
}

export async function startCuttingProxy(registry: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(registry)
  let cut: number | undefined
  let cuts = 0
  let sentAgain = 0
  /** By the path of the upload: what the registry said last that it has. */
  const acknowledged = new Map<string, number>()

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = 'GET', url = '/' } = incoming
    const path = url.split('?')[0] ?? url
    const upstream = request(
      { hostname, port, method, path: url, headers: incoming.headers, agent: false },
      (answer) => {
        const range = /^0-(\d+)$/.exec(answer.headers['range'] ?? '')?.[1]
        if (range !== undefined) acknowledged.set(path, range === '0' ? 0 : Number(range) + 1)
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    upstream.on('error', () => outgoing.destroy())
    const isUpload = method === 'PATCH' || method === 'PUT'
    const start = Number(/^(\d+)-/.exec(incoming.headers['content-range'] ?? '')?.[1] ?? 0)
    if (method === 'PATCH') sentAgain += Math.max(0, (acknowledged.get(path) ?? 0) - start)
    let left = isUpload ? cut : undefined
    if (left !== undefined && Number(incoming.headers['content-length'] ?? 0) > 0) cut = undefined
    else left = undefined
    incoming.on('data', (chunk: Buffer) => {
      if (left === undefined) {
        if (!upstream.write(chunk)) {
          incoming.pause()
          upstream.once('drain', () => incoming.resume())
        }
        return
      }
      const rest = chunk.subarray(0, left)
      left -= rest.byteLength
      upstream.write(rest, () => {
        if (left !== 0) return
        left = -1
        cuts++
        upstream.destroy()
        incoming.socket.destroy()
      })
    })
    incoming.on('end', () => upstream.end())
    incoming.on('error', () => upstream.destroy())
  }
  const server = createServer({ requestTimeout: 0 }, forward)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter: (bytes) => (cut = bytes),
    get sentAgain() {
      return sentAgain
    },
    get cuts() {
      return cuts
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve).closeAllConnections())
    },
  }
}
