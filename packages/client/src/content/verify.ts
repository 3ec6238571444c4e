import { createDigester, type Descriptor, digestAlgorithm, type HashFactory } from '@stowage/oci'
import { ClientError } from '../errors.ts'

/** What `verified` needs to know of the content. */
export interface VerifyOptions {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly hash: HashFactory
  /** What it is, for messages. */
  readonly subject: string
}

/**
 * The same bytes, as long as they are those of the descriptor. One chunk is kept back until all were seen, so that whoever
 * got every byte has got the right ones.
 *
 * @throws {ClientError} `digest-mismatch`
 */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  { descriptor, hash, subject }: VerifyOptions,
): AsyncIterable<Uint8Array> {
  const { digest, size } = descriptor
  const digester = createDigester(hash, digestAlgorithm(digest))
  let seen = 0
  let held: Uint8Array | undefined
  for await (const chunk of chunks) {
    if (chunk.byteLength === 0) continue
    seen += chunk.byteLength
    if (seen > size) throw wrongSize(subject, size, `more than ${size}`)
    digester.update(chunk)
    if (held !== undefined) yield held
    held = chunk
  }
  if (seen !== size) throw wrongSize(subject, size, String(seen))
  const actual = digester.digest()
  if (actual !== digest) {
    throw new ClientError('digest-mismatch', `${subject} is not what its digest says: its bytes have ${actual}.`, {
      subject,
      hint: 'What is stored there is damaged, or was altered on the way. Push it again from where it is whole.',
    })
  }
  if (held !== undefined) yield held
}

const wrongSize = (subject: string, size: number, seen: string): ClientError =>
  new ClientError('digest-mismatch', `${subject} must have ${size} bytes, and has ${seen}.`, {
    subject,
    hint: 'What is stored there is cut short or altered. Push it again from where it is whole.',
  })

/** All bytes in one piece. @throws {ClientError} `too-large` beyond `limit` bytes */
export const readAll = async (
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  subject: string,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.byteLength
    if (length > limit) throw new ClientError('too-large', `${subject} has more than ${limit} bytes.`, { subject })
    parts.push(chunk)
  }
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.byteLength
  }
  return all
}

/** Most bytes of a manifest that is read: what registries must take at least, and most take at most. */
export const maxManifestSize = 4 * 1024 * 1024
