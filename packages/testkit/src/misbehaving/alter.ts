/** Wrong bytes and wrong headers. */
import { discard, firstBytes, flippedAt, followedBy } from './body-stream.ts'
import type { Behaviour } from './call.ts'
import { changing, headerOf, reply, withHeader } from './reply.ts'

/** One bit of the byte at this place of the body is another; its length and all headers are right. */
export const flipByte = (position = 0): Behaviour =>
  changing((answer) => ({ ...answer, body: flippedAt(answer.body, position) }))

/** Only the first bytes of the body, announced as if they were all. */
export const shortenBody = (bytes: number): Behaviour =>
  changing((answer) => ({
    ...withHeader(answer, 'content-length', String(bytes)),
    body: firstBytes(answer.body, bytes),
  }))

/** Further bytes behind the body, announced as if they belonged to it. */
export const lengthenBody = (more: Uint8Array | string): Behaviour =>
  changing((answer) => {
    const length = Number(headerOf(answer, 'content-length') ?? NaN)
    const bytes = toBytes(more)
    return {
      ...withHeader(answer, 'content-length', Number.isNaN(length) ? undefined : String(length + bytes.byteLength)),
      body: followedBy(answer.body, bytes),
    }
  })

/** Further bytes behind the body that `Content-Length` does not know of. */
export const overrunBody = (more: Uint8Array | string): Behaviour =>
  changing((answer) => ({ ...answer, body: followedBy(answer.body, toBytes(more)) }))

/** Another body altogether, of the announced length; all other headers stay. */
export const replaceBody = (body: Uint8Array | string): Behaviour =>
  changing(async (answer) => {
    await discard(answer.body)
    return reply(answer.status, withHeader(answer, 'content-length', undefined).headers, body)
  })

/** The body comes in chunks, and nobody says how long it is. */
export const withoutLength = (): Behaviour => setHeader('content-length', undefined)

/** This header with this value, or without it. */
export const setHeader = (name: string, value: string | undefined): Behaviour =>
  changing((answer) => withHeader(answer, name, value))

/** `Docker-Content-Digest` names other content than comes. */
export const wrongDigestHeader = (digest = `sha256:${'0'.repeat(64)}`): Behaviour =>
  setHeader('docker-content-digest', digest)

const toBytes = (value: Uint8Array | string): Uint8Array =>
  typeof value === 'string' ? new TextEncoder().encode(value) : value
