import type { Behaviour, Call, Next, Origin, SeenRequest } from './call.ts'

/** Which requests are meant. Everything that is given must hold. */
export interface Match {
  readonly method?: string | readonly string[]
  /** Looked for in path and query. */
  readonly path?: RegExp
  /** Default: the registry's own. */
  readonly origin?: Origin | 'any'
}

export interface RuleOptions {
  /** How many matching requests it applies to. Default: all. */
  readonly times?: number
  /** How many matching requests are let through before that. Default: 0. */
  readonly skip?: number
}

/** A behaviour that was ordered. */
export interface Rule {
  /** How many requests it has applied to. */
  readonly hits: number
  remove(): void
}

export interface Rules {
  add(match: Match, behaviour: Behaviour, options?: RuleOptions): Rule
  /** Everything that applies to a call, around what is behind it. Counts it. */
  around(call: Call, behind: Next): Next
}

export const matches = ({ method, path, origin = 'registry' }: Match, request: Call | SeenRequest): boolean => {
  if (origin !== 'any' && origin !== request.origin) return false
  if (method !== undefined && ![method].flat().includes(request.method)) return false
  // `search` does not mind a `g` flag, as `test` does.
  return path === undefined || request.target.search(path) >= 0
}

export const createRules = (): Rules => {
  interface Entry {
    readonly match: Match
    readonly behaviour: Behaviour
    readonly options: RuleOptions
    seen: number
    hits: number
  }
  const entries = new Set<Entry>()

  const applies = (entry: Entry, call: Call): boolean => {
    if (!matches(entry.match, call)) return false
    const { times = Infinity, skip = 0 } = entry.options
    entry.seen += 1
    if (entry.seen <= skip || entry.hits >= times) return false
    entry.hits += 1
    return true
  }

  return {
    add: (match, behaviour, options = {}) => {
      const entry: Entry = { match, behaviour, options, seen: 0, hits: 0 }
      entries.add(entry)
      return {
        get hits() {
          return entry.hits
        },
        remove: () => void entries.delete(entry),
      }
    },
    around: (call, behind) => {
      let next = behind
      for (const entry of entries) {
        if (!applies(entry, call)) continue
        const inner = next
        next = async (given) => entry.behaviour(given, inner)
      }
      return next
    },
  }
}
