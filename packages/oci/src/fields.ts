import type { Annotations } from './annotations.ts'
import type { Findings } from './findings.ts'
import { itemPath, memberPath } from './json-path.ts'
import { isMediaType } from './media-types.ts'
import { shown } from './shown.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** A member of its own, never one from a prototype. `null` is what Go's encoders write for nothing, and means that here. */
export const member = (object: JsonObject, key: string): unknown =>
  Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined

/** The names a kind of object knows, and how they look to readers that ignore case. */
export interface Spellings {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlyMap<string, string>
  /** Folding keeps the length of every name that can be mistaken for a known one. */
  readonly lengths: ReadonlySet<number>
}

export const spellings = (names: readonly string[]): Spellings => ({
  exact: new Set(names),
  folded: new Map(names.map((name) => [fold(name), name])),
  lengths: new Set(names.map((name) => name.length)),
})

/** Both ways, because Go takes U+017F for an s and U+212A for a k. */
const fold = (name: string): string => name.toUpperCase().toLowerCase()

/**
 * Finds members that are known ones but for upper and lower case. Go's readers ignore case, and others do not, so that
 * `Layers` beside `layers` is one more way for two readers to see two manifests.
 */
export const checkSpelling = (object: JsonObject, path: string, known: Spellings, findings: Findings): void => {
  for (const key of Object.keys(object)) {
    if (known.exact.has(key) || !known.lengths.has(key.length)) continue
    const meant = known.folded.get(fold(key))
    if (meant !== undefined) {
      findings.add(
        memberPath(path, key),
        `is ${shown(meant)} to readers that ignore case: write it so, or name it otherwise`,
      )
    }
  }
}

export const readString = (object: JsonObject, key: string, path: string, findings: Findings): string | undefined => {
  const value = member(object, key)
  if (value === undefined || typeof value === 'string') return value
  findings.add(memberPath(path, key), `must be a string, got ${shown(value)}`)
  return undefined
}

export const requireString = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): string | undefined => {
  if (member(object, key) === undefined) findings.add(memberPath(path, key), 'is missing')
  return readString(object, key, path, findings)
}

export const readBoolean = (object: JsonObject, key: string, path: string, findings: Findings): boolean | undefined => {
  const value = member(object, key)
  if (value === undefined || typeof value === 'boolean') return value
  findings.add(memberPath(path, key), `must be true or false, got ${shown(value)}`)
  return undefined
}

/** A media type that may be left out. Empty counts as left out: "If the `artifactType` is empty or missing". */
export const readMediaType = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): string | undefined => {
  const value = readString(object, key, path, findings)
  if (value === undefined || value === '') return undefined
  if (!isMediaType(value)) {
    findings.add(memberPath(path, key), `must be a media type by RFC 6838, type/subtype, got ${shown(value)}`)
  }
  return value
}

export const requireMediaType = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): string | undefined => {
  const value = requireString(object, key, path, findings)
  if (value === undefined || isMediaType(value)) return value
  findings.add(memberPath(path, key), `must be a media type by RFC 6838, type/subtype, got ${shown(value)}`)
  return value
}

/**
 * A whole number from 0 to 2^53 - 1, written in digits alone: `1e3` and `1.0` are not whole numbers to every reader, and
 * larger ones are rounded by some.
 */
export const requireWholeNumber = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): number | undefined => {
  const value = member(object, key)
  const odd = findings.oddIntegers.size > 0 ? findings.oddIntegers.get(memberPath(path, key)) : undefined
  if (odd === undefined && typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  findings.add(
    memberPath(path, key),
    value === undefined
      ? 'is missing'
      : `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, in digits, got ${odd?.slice(0, 40) ?? shown(value)}`,
  )
  return undefined
}

/** An array of strings; nothing and `null` are left out. */
export const readStrings = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
): string[] | undefined => {
  const value = member(object, key)
  if (value === undefined) return undefined
  const where = memberPath(path, key)
  if (!Array.isArray(value)) {
    findings.add(where, `must be an array of strings, got ${shown(value)}`)
    return undefined
  }
  const strings: string[] = []
  for (const [index, item] of (value as unknown[]).entries()) {
    if (typeof item === 'string') strings.push(item)
    else findings.add(itemPath(where, index), `must be a string, got ${shown(item)}`)
  }
  return strings
}

const maxAnnotations = 1000

/** In bytes of UTF-8. Values have no limit of their own: that of the manifest holds. */
const maxAnnotationKeySize = 1024

/** "Annotations MUST be a key-value map where both the key and value MUST be strings." */
export const readAnnotations = (object: JsonObject, path: string, findings: Findings): Annotations | undefined =>
  readStringMap(object, 'annotations', path, findings, { maxEntries: maxAnnotations, maxKeySize: maxAnnotationKeySize })

export const readStringMap = (
  object: JsonObject,
  key: string,
  path: string,
  findings: Findings,
  limits: { readonly maxEntries: number; readonly maxKeySize: number } = {
    maxEntries: Number.POSITIVE_INFINITY,
    maxKeySize: Number.POSITIVE_INFINITY,
  },
): Readonly<Record<string, string>> | undefined => {
  const value = member(object, key)
  if (value === undefined) return undefined
  const where = memberPath(path, key)
  if (!isJsonObject(value)) {
    findings.add(where, `must be an object of strings, got ${shown(value)}`)
    return undefined
  }
  const entries = Object.entries(value)
  if (entries.length > limits.maxEntries) {
    findings.add(where, `has ${entries.length} entries: at most ${limits.maxEntries} are allowed`)
    return undefined
  }
  const map: Record<string, string> = {}
  for (const [name, item] of entries) {
    if (typeof item !== 'string') findings.add(memberPath(where, name), `must be a string, got ${shown(item)}`)
    else if (isLongerThan(name, limits.maxKeySize)) {
      findings.add(memberPath(where, name), `has a key of more than ${limits.maxKeySize} bytes`)
    } else if (name === '__proto__') findings.add(memberPath(where, name), 'is not allowed as a name')
    // Half surrogate pairs become U+FFFD, as in every reader whose strings are UTF-8: stores among them.
    else map[name.toWellFormed()] = item.toWellFormed()
  }
  return map
}

/** By bytes of UTF-8, of which a UTF-16 unit makes one to three. */
const isLongerThan = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && (text.length > bytes || new TextEncoder().encode(text).byteLength > bytes)

/** What is left of an object when its members that are `undefined` are gone. */
export type Compact<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

export const compact = <T extends object>(object: T): Compact<T> => {
  const rest = { ...object }
  for (const key in rest) if (rest[key] === undefined) delete rest[key]
  return rest
}
