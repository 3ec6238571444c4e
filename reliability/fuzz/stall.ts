import { connect } from 'node:net'
import { bytesOf, draft } from './draft.ts'
import type { World } from './world.ts'

/** More answers than the buffers of two sockets hold. */
const requests = 300
/** Longer than the server waits for a reader. Milliseconds. */
const patience = 4000

/** Asks for much and takes none of it for a while. @returns whether the connection then had no end within the bound. */
export const stall = async (port: number, { names, blobs, credentials }: World, bound: number): Promise<boolean> =>
  new Promise((resolve) => {
    const largest = blobs.reduce((one, other) => (one.bytes.byteLength > other.bytes.byteLength ? one : other))
    const request = draft('GET', `/v2/${names[0] ?? ''}/blobs/${largest.digest}`)
    if (credentials[0] !== undefined) request.lines.push(`Authorization: ${credentials[0]}`)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.pause()
    socket.on('error', () => {})
    socket.on('connect', () => {
      for (let at = 1; at <= requests; at += 1) socket.write(bytesOf(request, at === requests))
      setTimeout(() => socket.resume(), patience)
    })
    const deadline = setTimeout(() => {
      socket.destroy()
      resolve(true)
    }, patience + bound)
    socket.on('close', () => {
      clearTimeout(deadline)
      resolve(false)
    })
  })
