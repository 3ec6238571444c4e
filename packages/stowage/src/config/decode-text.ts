/**
 * What bytes say as UTF-8, without a byte order mark. Undefined when they are no UTF-8: with replacement characters in it a secret
 * would be another than was meant.
 */
export const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
