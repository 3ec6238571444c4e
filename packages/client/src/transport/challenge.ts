/** One way to authenticate that an answer offers (RFC 9110, section 11.3). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Longer headers are no registry's. */
const longest = 16 * 1024

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const separators = /[\s,]*/y
const equals = /[ \t]*=[ \t]*/y
/** As in `Negotiate YII=`: belongs to the scheme before it and is no parameter. */
const token68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)/y
const quoted = /"((?:[^"\\]|\\.)*)"/y
/** More than a token: registries are known to leave the quotes of a URL away. */
const bare = /[^\s,"]+/y

/**
 * The challenges of a `WWW-Authenticate` header, several lines joined by commas as `fetch` does it. What cannot be read ends the
 * list; what stands before it counts. (RFC 9110, sections 11.2, 11.3 and 5.6.4)
 *
 * Commas between challenges and between parameters look alike, so a word that no `=` follows begins a challenge.
 */
export const parseChallenges = (header: string | null): Challenge[] => {
  if (header === null || header.length > longest) return []
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let at = 0
  const read = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header) ?? undefined
    if (match !== undefined) at = pattern.lastIndex
    return match
  }
  for (;;) {
    read(separators)
    const name = read(token)?.[0].toLowerCase()
    if (name === undefined) return challenges
    if (read(equals) === undefined) {
      challenges.push({ scheme: name, parameters: new Map() })
      read(token68)
      continue
    }
    const value = read(quoted)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? read(bare)?.[0]
    const current = challenges.at(-1)
    if (value === undefined || current === undefined) return challenges
    // "each parameter name MUST only occur once per challenge": the first one counts.
    if (!current.parameters.has(name)) current.parameters.set(name, value)
  }
}
