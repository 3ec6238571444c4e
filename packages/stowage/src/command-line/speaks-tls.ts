import { connect } from 'node:tls'

/** Milliseconds: it is asked of this machine itself. */
const patience = 2000

/**
 * Whether a registry on this machine speaks TLS. Nothing is sent to it but the beginning of a connection, and no certificate is
 * believed for more than this answer.
 *
 * @param registry with its port; without one it is 443
 */
export const speaksTls = async (registry: string): Promise<boolean> => {
  const { hostname, port } = new URL(`https://${registry}`)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, timeout: patience })
    const end = (answer: boolean): void => {
      resolve(answer)
      socket.destroy()
    }
    socket.once('secureConnect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.on('error', () => end(false))
  })
}
