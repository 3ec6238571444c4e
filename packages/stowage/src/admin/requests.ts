import type { IncomingMessage } from 'node:http'
import { type AdminAnswer, type OperationGroup, refusal } from './operations.ts'

/** No operation needs more. */
const maxBytes = 64 * 1024

/** Does what the request asks. Rejects only for what is no fault of who asks. */
export const answerRequest = async (
  group: OperationGroup,
  name: string,
  req: IncomingMessage,
  signal: AbortSignal,
): Promise<AdminAnswer> => {
  // Before the body is looked at: a name that is not there is the first thing to mend.
  if (!group.names.includes(name)) return group.perform(name, undefined, signal)
  const type = req.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json') return refusal('media-type', 'The body must be application/json.')
  const body = await readBody(req)
  if (body === undefined) return refusal('too-large', `The body must have at most ${maxBytes} bytes.`)
  const given = parse(body)
  return given === undefined ? refusal('invalid', 'The body must be JSON.') : group.perform(name, given, signal)
}

const readBody = async (req: IncomingMessage): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of req as AsyncIterable<Uint8Array>) {
    size += part.byteLength
    // Read to its end, or who sends it would see a broken connection and no answer.
    if (size <= maxBytes) parts.push(part)
  }
  return size > maxBytes ? undefined : Buffer.concat(parts)
}

/** Every body is an object, so there is a value that stands for none. */
const parse = (body: Uint8Array): unknown => {
  try {
    // What is no UTF-8 would otherwise become a password that nobody wrote.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown
  } catch {
    return undefined
  }
}
