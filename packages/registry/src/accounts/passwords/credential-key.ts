import { createHmac, randomBytes } from 'node:crypto'

/** A key for what is remembered of credentials. */
export type CredentialKey = (...parts: readonly string[]) => string

/**
 * HMAC-SHA256 by a key that this process alone has, and that dies with it: whoever reads its memory afterwards can neither
 * read passwords nor try them out. A digest is also short, and holds no part of the header that the words were cut from.
 */
export const createCredentialKey = (): CredentialKey => {
  const secret = randomBytes(32)
  return (...parts) => {
    const hmac = createHmac('sha256', secret)
    // The length first: of two words nobody can move the end of one to the beginning of the other.
    for (const part of parts) hmac.update(`${part.length}:`).update(part).update('\0')
    return hmac.digest('base64url')
  }
}
