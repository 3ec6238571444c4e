import type { Digest } from '@stowage/oci'
import { matchesGlob } from '../access/permission.ts'
import { isSemverTag } from './semver-tag.ts'
import type { RetentionRule } from './upkeep-options.ts'

/** What a rule looks at. Times in milliseconds since the epoch. */
export interface RetentionTag {
  readonly tag: string
  readonly digest: Digest
  /** When the tag was last set. */
  readonly taggedAt: number
  /** When what it names was last pulled, under whatever tag; undefined: never. */
  readonly lastPulledAt?: number
  /** The manifest that the tag is about, if that one is here (see `subjectOfTag`). */
  readonly about?: Digest
}

export interface Judgement {
  readonly rule: RetentionRule
  /** Globs of the repository's tags that policies protect. */
  readonly immutable: readonly string[]
  /** Now. */
  readonly at: number
}

export const ruleFor = (rules: readonly RetentionRule[], repository: string): RetentionRule | undefined =>
  rules.find(({ repositories }) => matchesGlob(repositories, repository))

/**
 * What a tag is about by its name: clients of registries that know no referrers keep signatures and the like of a manifest
 * under `sha256-<hex>`, and cosign under that and `.sig`, `.att` or `.sbom`.
 */
export const subjectOfTag = (tag: string): Digest | undefined => {
  const [, hex] = /^sha256-([0-9a-f]{64})(?:\.[\w-]+)?$/.exec(tag) ?? []
  return hex === undefined ? undefined : (`sha256:${hex}` as Digest)
}

/** Why the tag stays whatever other tags there are, in words; undefined if nothing but being one of the newest can keep it. */
export const keptBecause = (one: RetentionTag, { rule, immutable, at }: Judgement): string | undefined => {
  if (immutable.some((glob) => matchesGlob(glob, one.tag))) return 'It is immutable.'
  if (one.about !== undefined) return `It belongs to ${one.about}, which is here.`
  const { keep } = rule
  if (keep === undefined) return `The rule for ${rule.repositories} keeps every tag.`
  const { youngerThan, pulledWithin, matching = [] } = keep
  const glob = matching.find((candidate) => meets(candidate, one.tag))
  if (glob !== undefined) return glob === 'semver' ? 'It is a semantic version.' : `It matches ${glob}.`
  if (youngerThan !== undefined && isWithin(one.taggedAt, youngerThan, at))
    return `It was set ${ago(one.taggedAt, at)}.`
  // Whoever sets a tag has not pulled it yet: `youngerThan` is for that.
  if (pulledWithin !== undefined && one.lastPulledAt !== undefined && isWithin(one.lastPulledAt, pulledWithin, at)) {
    return `It was pulled ${ago(one.lastPulledAt, at)}.`
  }
  return undefined
}

/** Why a tag goes that nothing keeps, in words. */
export const goesBecause = (one: RetentionTag, { rule, at }: Judgement): string => {
  const { newest, youngerThan, pulledWithin, matching } = rule.keep ?? {}
  const reasons = [
    ...(newest === undefined ? [] : [newest === 1 ? 'not the newest' : `not among the ${newest} newest`]),
    ...(youngerThan === undefined && newest === undefined ? [] : [`set ${ago(one.taggedAt, at)}`]),
    ...(pulledWithin === undefined
      ? []
      : [one.lastPulledAt === undefined ? 'never pulled' : `last pulled ${ago(one.lastPulledAt, at)}`]),
    ...(matching === undefined ? [] : [`matches ${matching.length === 1 ? 'not' : 'none of'} ${matching.join(', ')}`]),
  ]
  return `By the rule for ${rule.repositories}: ${reasons.join(', ')}.`
}

/** Takes the tags of a repository page by page, in whatever order, and says of each that goes that it does. */
export interface TagSelection {
  /** @returns those of all pages so far of which it is now certain that they go. */
  add(page: readonly RetentionTag[]): RetentionTag[]
}

/**
 * Holds the newest tags alone: as soon as as many newer ones have been seen, a tag is not among the newest, whatever comes.
 *
 * Tags that another condition keeps count among the newest, too. Those that belong to a manifest do not: they come and go
 * with it.
 */
export const createSelection = (judgement: Judgement): TagSelection => {
  const { newest: count = 0 } = judgement.rule.keep ?? {}
  let newest: RetentionTag[] = []

  return {
    add: (page) => {
      const competing = [...newest, ...page.filter(({ about }) => about === undefined)].toSorted(newestFirst)
      newest = competing.slice(0, count)
      return competing.slice(count).filter((one) => keptBecause(one, judgement) === undefined)
    },
  }
}

/** Of two that were set in the same millisecond, one is newer, always the same. */
const newestFirst = (left: RetentionTag, right: RetentionTag): number =>
  right.taggedAt - left.taggedAt || (left.tag < right.tag ? 1 : -1)

const meets = (glob: string, tag: string): boolean => (glob === 'semver' ? isSemverTag(tag) : matchesGlob(glob, tag))

/** What lies in the future, by a clock that was set back since, is young. */
const isWithin = (then: number, seconds: number, at: number): boolean => at - then <= seconds * 1000

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** A span of time as people say it, rounded down. */
export const span = (milliseconds: number): string => {
  const [name, length] = units.find(([, size]) => milliseconds >= size) ?? []
  if (name === undefined) return 'less than a minute'
  const number = Math.floor(milliseconds / length)
  return `${number} ${name}${number === 1 ? '' : 's'}`
}

const ago = (then: number, at: number): string => `${span(at - then)} ago`
