import type { RepositoryFilter } from '../access/grant.ts'
import { matchesGlob } from '../access/permission.ts'
import { globPatterns } from './glob.ts'

/** Names that follow each other in byte order: a filter admits those that match one pattern of each condition. */
export interface NameRange {
  /** The first and the last name that can be in it. */
  readonly from: string
  readonly to: string
  /** None where all names of the range are visible. The same patterns for SQLite's GLOB and for PostgreSQL's LIKE. */
  readonly conditions: readonly { readonly glob: readonly string[]; readonly like: readonly string[] }[]
}

/** Sorts behind every character that can follow, in byte order. */
const BEHIND_ALL = '\u{10ffff}'

/** Says of a name whether the filter admits it. */
export function createMatcher(filter: RepositoryFilter): (name: string) => boolean {
  const lists = listsOf(filter)
  return (name) => lists.every((list) => list.some((glob) => matchesGlob(glob, name)))
}

/**
 * Where the names lie that the filter admits, in byte order and never one twice. Only these parts of an index need to be
 * looked at: how much a page costs does not depend on what its reader cannot see.
 */
export function* visibleRanges(filter: RepositoryFilter): Generator<NameRange> {
  const lists = listsOf(filter).map((globs) => globs.map(describe).toSorted(byName))
  const scopes = lists.map(outermost).reduce(common, [everything])
  const conditions = lists.map(conditionsOf)
  for (const scope of scopes) {
    yield {
      from: scope.begin,
      to: scope.exact ? scope.begin : scope.begin + BEHIND_ALL,
      conditions: conditions.flatMap((conditionIn) => conditionIn(scope)),
    }
  }
}

/** The filter as lists of globs, of each of which a name must match one. No lists: everything is visible. */
function listsOf(filter: RepositoryFilter): string[][] {
  if (filter.kind === 'all') return []
  const { globs, within = [], always = [] } = filter
  return (
    [globs, ...within]
      // (a and b) or c is (a or c) and (b or c).
      .map((list) => [...list, ...always].filter(isPossible).map((glob) => glob.replaceAll(/\*+/g, '*')))
      .filter((list) => !list.includes('*'))
  )
}

/** Names are ASCII; and PostgreSQL does not take every text that is not. */
function isPossible(glob: string): boolean {
  return /^[ -~]*$/.test(glob)
}

/** Names that begin alike, or one name. Of two scopes one contains the other, or they have nothing in common. */
interface Scope {
  readonly begin: string
  readonly exact: boolean
}

const everything: Scope = { begin: '', exact: false }

interface DescribedGlob extends Scope {
  readonly glob: string
  /** Whether it matches all names of its scope. */
  readonly whole: boolean
}

function describe(glob: string): DescribedGlob {
  const [begin = ''] = glob.split('*', 1)
  const exact = begin === glob
  return { glob, begin, exact, whole: exact || glob === `${begin}*` }
}

function contains(outer: Scope, inner: Scope): boolean {
  return outer.exact ? inner.exact && inner.begin === outer.begin : inner.begin.startsWith(outer.begin)
}

/** What contains others stands before them. Names are ASCII: the order of UTF-16 code units is byte order. */
function byName(left: Scope, right: Scope): number {
  if (left.begin !== right.begin) return left.begin < right.begin ? -1 : 1
  return Number(left.exact) - Number(right.exact)
}

/** Of sorted scopes those that no other contains. */
function outermost(scopes: readonly Scope[]): Scope[] {
  const found: Scope[] = []
  for (const scope of scopes) {
    const last = found.at(-1)
    if (last === undefined || !contains(last, scope)) found.push(scope)
  }
  return found
}

/** Of two sorted lists of scopes, none in another of its list, what both have. */
function common(left: readonly Scope[], right: readonly Scope[]): Scope[] {
  const found: Scope[] = []
  let [i, j] = [0, 0]
  for (;;) {
    const [one, other] = [left[i], right[j]]
    if (one === undefined || other === undefined) return found
    const [inOne, inOther] = [contains(one, other), contains(other, one)]
    if (inOne) found.push(other)
    else if (inOther) found.push(one)
    if (inOne || (!inOther && byName(other, one) < 0)) j += 1
    else i += 1
  }
}

/**
 * What a name must also match to match one glob of the sorted list, when it is in this scope: nothing where all of the scope
 * do. To be asked for one scope after the other, in their order.
 */
function conditionsOf(list: readonly DescribedGlob[]): (scope: Scope) => NameRange['conditions'] {
  const whole = outermost(list.filter((each) => each.whole))
  let place = 0
  return (scope) => {
    for (let next = whole[place + 1]; next !== undefined && byName(next, scope) <= 0; next = whole[place + 1])
      place += 1
    const last = whole[place]
    if (last !== undefined && contains(last, scope)) return []
    const globs = list.filter((each) => contains(each, scope) || contains(scope, each)).map(({ glob }) => glob)
    const patterns = globPatterns(globs)
    return [{ glob: patterns.map(({ glob }) => glob), like: patterns.map(({ like }) => like) }]
  }
}
