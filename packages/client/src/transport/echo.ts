import type { ErrorInfo } from '@stowage/oci'
import { withoutControls } from './printable.ts'

/**
 * What a registry says, fit to be passed on: some repeat the `Authorization` that they do not like, and what they say is shown and
 * logged.
 *
 * @param shown the `Authorization` that was sent
 */
export const withoutEcho = (errors: readonly ErrorInfo[], shown: string | undefined): ErrorInfo[] => {
  const secrets = secretsIn(shown)
  const clean = (text: string): string =>
    withoutControls(secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text))
  return errors.map(({ code, message, detail }) => ({
    code: clean(code),
    ...(message === undefined ? {} : { message: clean(message) }),
    ...(detail === undefined ? {} : { detail: cleaned(detail, clean) }),
  }))
}

/** The longest first, which may have others in them. */
const secretsIn = (shown: string | undefined): string[] => {
  const [, scheme = '', value = ''] = /^(\S+) +(.*)$/.exec(shown ?? '') ?? []
  const secrets = [value]
  if (scheme.toLowerCase() === 'basic') {
    const pair = decoded(value)
    const password = pair.slice(pair.indexOf(':') + 1)
    // Shorter ones are in every other word.
    secrets.push(...[pair, password, encodeURIComponent(password)].filter(({ length }) => length > 3))
  }
  if (value === '' && shown !== undefined) secrets.push(shown)
  return secrets.filter((secret) => secret !== '')
}

/** Of base64 and UTF-8. Whoever writes this header by hand may have written neither. */
const decoded = (value: string): string => {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(value), (character) => character.charCodeAt(0)))
  } catch {
    return ''
  }
}

/** Deeper ones have nothing to say, and may be made to exhaust the stack. */
const deepest = 20

/** JSON, as it came from a parser. */
const cleaned = (value: unknown, clean: (text: string) => string, depth = 0): unknown => {
  if (typeof value === 'string') return clean(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === deepest) return '…'
  const inner = (item: unknown): unknown => cleaned(item, clean, depth + 1)
  if (Array.isArray(value)) return value.map(inner)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [clean(name), inner(item)]))
}
