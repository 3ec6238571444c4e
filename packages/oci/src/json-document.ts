import type { Findings } from './findings.ts'
import { scanJson } from './json-scan.ts'

/** Deepest nesting of any document this package parses. */
const maxDepth = 64

/** Without `ignoreBOM` the decoder would take the mark away in silence. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const integerKeys: ReadonlySet<string> = new Set(['size', 'schemaVersion'])

/**
 * The value of a JSON document that every reader understands alike; `undefined` if it cannot be parsed at all.
 *
 * RFC 8259 leaves duplicate keys, a byte order mark and large numbers to the reader. Content that is named by its digest must
 * not mean one thing to the registry and another to a client, so here they are problems.
 */
export const readJsonDocument = (bytes: Uint8Array, findings: Findings): unknown => {
  if (!(bytes instanceof Uint8Array)) {
    findings.add('', 'must be bytes, as a Uint8Array')
    return undefined
  }
  if (bytes.byteLength === 0) {
    findings.add('', 'is empty')
    return undefined
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    findings.add('', 'begins with a byte order mark: leave it out')
    return undefined
  }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    findings.add('', 'is not UTF-8')
    return undefined
  }
  const scan = scanJson(text, maxDepth, integerKeys)
  let value: unknown
  if (!scan.fatal) {
    try {
      value = JSON.parse(text)
    } catch (error) {
      // What the scan saw in a text that is not JSON means nothing.
      findings.add('', `is not JSON: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }
  for (const { path, message } of scan.problems) findings.add(path, message)
  for (const [path, written] of scan.oddIntegers) findings.oddIntegers.set(path, written)
  return value
}
