import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'

export const socketName = 'admin.sock'

/** The kernel has 108 bytes for the path of a socket (104 on some systems), and one for the end. */
const longest = 103

/** A path by which the socket of a data directory can be bound or connected to; give it back when that is over. */
export interface SocketPath extends Disposable {
  readonly path: string
}

/**
 * The path of the socket, also where it is too long for the kernel: on Linux it is then reached through a descriptor of its
 * directory.
 *
 * @returns undefined when the path is too long and there is no way around.
 */
export const socketPath = (data: string): SocketPath | undefined => {
  const path = join(data, socketName)
  if (Buffer.byteLength(path) <= longest) return { path, [Symbol.dispose]: () => {} }
  if (process.platform !== 'linux') return undefined
  const descriptor = openSync(data, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${descriptor}/${socketName}`, [Symbol.dispose]: () => closeSync(descriptor) }
}
