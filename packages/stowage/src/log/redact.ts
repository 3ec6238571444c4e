const secretKey =
  /authori[sz]ation|cookie|pass(?:word|wd|phrase)?$|secret|token|credential|api[-_]?key|private[-_]?key/i
const maxDepth = 6
const hidden = '[redacted]'

/**
 * The facts of a log line without secrets: values under telling names go, and so do credentials within strings. Errors
 * become plain objects on the way. What is nested deeper than six levels is left out.
 */
export const redact = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
  if (depth >= maxDepth) return '[…]'
  if (value instanceof Date) return value
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Error) return redactError(value, depth)
  const clean: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    clean[key] = secretKey.test(key) && item !== undefined && item !== null ? hidden : redact(item, depth + 1)
  }
  return clean
}

const redactError = (error: Error, depth: number): object => ({
  ...(redact(Object.fromEntries(Object.entries(error)), depth + 1) as object),
  type: error.name,
  message: redactText(error.message),
  stack: redactText(error.stack ?? ''),
  ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
})

/** Credentials in URLs, and what follows the name of an authentication scheme. */
export const redactText = (text: string): string =>
  text
    .replace(/(:\/\/)[^/\s"'@]+@/g, `$1${hidden}@`)
    .replace(/\b(Bearer|Basic|Digest) +[\w.~+/-]{8,}=*/gi, (all, scheme: string) =>
      // "basic authentication" is prose; what is secret has a digit, a capital inside or an equals sign.
      /[\d=]|[a-z][A-Z]/.test(all.slice(scheme.length)) ? `${scheme} ${hidden}` : all,
    )
