/** What is wrong with a text that is to be base64 (RFC 4648 section 4, padded) of `size` bytes. */
export const base64Problem = (text: string, size: number): string | undefined => {
  if (text.length % 4 !== 0) return 'is not base64: its length is not a multiple of 4 (is the padding missing?)'
  const wrong = /[^A-Za-z0-9+/]/.exec(
    text.endsWith('==') ? text.slice(0, -2) : text.endsWith('=') ? text.slice(0, -1) : text,
  )
  if (wrong !== null) return `is not base64: it has ${JSON.stringify(wrong[0])} at position ${wrong.index}`
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = (text.length / 4) * 3 - padding
  return bytes === size ? undefined : `holds ${bytes} bytes, and size says ${size}`
}
