import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection on which a test sends what it likes, byte by byte. */
export interface RawConnection extends Disposable {
  readonly socket: Socket
  send(text: string): void
  /** Resolves once what was received contains `text`. */
  received(text: string): Promise<string>
  /** Resolves when the server has closed the connection, with all that was received. */
  ended(): Promise<string>
  readonly open: boolean
}

export const connectTo = async (port: number): Promise<RawConnection> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let text = ''
  let open = true
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => (text += chunk))
  // A reset is an end like another.
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(() => (open = false))
  return {
    socket,
    send: (out) => void socket.write(out, 'latin1'),
    received: async (wanted) => {
      while (!text.includes(wanted)) {
        await Promise.race([once(socket, 'data'), closed])
        if (!open && !text.includes(wanted)) throw new Error(`the connection ended before ${wanted}: ${text}`)
      }
      return text
    },
    ended: async () => {
      await closed
      return text
    },
    get open() {
      return open
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}
