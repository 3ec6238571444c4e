import { connect, type Socket } from 'node:net'

export interface SlowReaders extends Disposable {
  /** Bytes that each has received so far. */
  readonly received: () => readonly number[]
  /** Throws when one has ended, failed, or was not answered 200. */
  check(): void
}

/** Clients that each GET `url` and take `bytesPerSecond` of it: what a server buffers for slow readers shows then. */
export function startSlowReaders(url: string, count: number, bytesPerSecond: number): SlowReaders {
  const started = performance.now()
  const readers = Array.from({ length: count }, () => startReader(url))
  const timer = setInterval(() => {
    const allowed = ((performance.now() - started) / 1000) * bytesPerSecond
    for (const reader of readers) {
      if (reader.state.received < allowed) reader.socket.resume()
      else reader.socket.pause()
    }
  }, 20)
  return {
    received: () => readers.map(({ state }) => state.received),
    check: () => {
      const fault = readers.find(({ state }) => state.fault !== undefined)?.state.fault
      if (fault !== undefined) throw new Error(`a slow reader of ${url} failed: ${fault}`)
    },
    [Symbol.dispose]: () => {
      clearInterval(timer)
      for (const { socket, state } of readers) {
        state.stopped = true
        socket.destroy()
      }
    },
  }
}

interface Reader {
  readonly socket: Socket
  readonly state: { received: number; fault: string | undefined; stopped: boolean }
}

function startReader(url: string): Reader {
  const { hostname, port, pathname } = new URL(url)
  const state: Reader['state'] = { received: 0, fault: undefined, stopped: false }
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
  socket.on('data', (chunk) => {
    if (state.received === 0 && !chunk.subarray(0, 13).equals(Buffer.from('HTTP/1.1 200 '))) {
      state.fault = `answered ${chunk.subarray(0, 200).toString()}`
    }
    state.received += chunk.byteLength
    // At once, not at the next tick of the clock: loopback would bring it megabytes in between.
    socket.pause()
  })
  socket.on('error', (error) => (state.fault ??= error.message))
  socket.on('close', () => {
    if (!state.stopped) state.fault ??= 'the connection was closed'
  })
  return { socket, state }
}
