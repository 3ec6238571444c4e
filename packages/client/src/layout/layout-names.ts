import { formatReference, isDigest, isTag, safeParseReference } from '@stowage/oci'

/** What has names: an entry of `index.json`, an image of a docker archive. */
export interface Named {
  readonly names: readonly string[]
}

const maxNameLength = 512

/**
 * Whether a text may name a manifest in a layout: the grammar that image-spec gives `org.opencontainers.image.ref.name`, and
 * what tags may begin with besides. Whatever else stands in an annotation names nothing, and never reaches a terminal.
 */
export const isLayoutName = (text: string): boolean =>
  text.length <= maxNameLength && /^[A-Za-z0-9_][A-Za-z0-9_.:@/+-]*$/.test(text)

/** The tag in a name: `v1` of `v1` and of `docker.io/library/app:v1`. A registry takes it where it takes no such name. */
export const tagOfName = (name: string): string | undefined => {
  if (isTag(name)) return name
  const parsed = safeParseReference(name)
  return parsed.ok && !isDigest(name) ? parsed.value.tag : undefined
}

/** `docker.io/library/app:v1` for all that means it; undefined for a bare tag, and for a name without one. */
export const fullName = (name: string): string | undefined => {
  // A digest reads like a tag of a repository called sha256.
  if (isTag(name) || isDigest(name)) return undefined
  const parsed = safeParseReference(name)
  if (!parsed.ok || parsed.value.tag === undefined || parsed.value.digest !== undefined) return undefined
  return formatReference(parsed.value)
}

/** Whether both are the same name, however they are written. */
export const isSameName = (one: string, other: string): boolean => {
  if (one === other) return true
  const full = fullName(one)
  return full !== undefined && full === fullName(other)
}

/**
 * What a text names, by the first of these rules that finds anything: a name that is exactly so; one that means the same full
 * reference (`app:v1` and `docker.io/library/app:v1`); a full reference whose tag it is.
 *
 * More than one where the text is ambiguous: that is the caller's to refuse.
 */
export const findNamed = <T extends Named>(entries: readonly T[], text: string): readonly T[] => {
  const exact = entries.filter(({ names }) => names.includes(text))
  if (exact.length > 0) return exact
  const same = entries.filter(({ names }) => names.some((name) => isSameName(text, name)))
  if (same.length > 0) return same
  return isTag(text) ? entries.filter(({ names }) => names.some((name) => tagOfName(name) === text)) : []
}
