import { globProblems, tagGlob } from './option-problems.ts'
import type { UpkeepOptions } from './upkeep/upkeep-options.ts'

/** Every member there is; one that is not here is a mistake of the caller, and says so. */
const members = {
  garbage: ['every', 'grace'],
  retention: ['every', 'restoreFor', 'rules'],
  scrub: ['every', 'rate'],
  rule: ['repositories', 'keep', 'untagged'],
  keep: ['newest', 'youngerThan', 'pulledWithin', 'matching'],
} as const

const seconds = ['every', 'grace', 'restoreFor']

/** A century in seconds: a longer time is a slip of the pen. */
const longest = 100 * 365 * 24 * 3600

const mostRules = 1000
const mostGlobs = 100

/** Problems with `upkeep`, each as a sentence that names the option. */
export const upkeepProblems = (upkeep: UpkeepOptions | undefined): string[] => {
  if (!isObject(upkeep)) return []
  return (['garbage', 'retention', 'scrub'] as const).flatMap((name) => {
    const section: unknown = upkeep[name]
    const field = `upkeep.${name}`
    if (section === undefined) return []
    if (!isObject(section)) return [`${field} must be an object`]
    return [
      ...unknownMembers(section, members[name], field),
      ...seconds.flatMap((member) => secondsProblems(section[member], `${field}.${member}`)),
      ...rateProblems(section['rate'], `${field}.rate`),
      ...rulesProblems(section['rules'], `${field}.rules`),
    ]
  })
}

const rulesProblems = (rules: unknown, field: string): string[] => {
  if (rules === undefined) return []
  if (!Array.isArray(rules) || rules.length > mostRules)
    return [`${field} must be a list of at most ${mostRules} rules`]
  return rules.flatMap((rule: unknown, index) => ruleProblems(rule, `${field}[${index}]`))
}

const ruleProblems = (rule: unknown, field: string): string[] => {
  if (!isObject(rule)) return [`${field} must be an object`]
  const { repositories, keep, untagged } = rule
  return [
    ...unknownMembers(rule, members.rule, field),
    ...globProblems(repositories, `${field}.repositories`),
    ...(untagged === undefined || typeof untagged === 'boolean' ? [] : [`${field}.untagged must be true or false`]),
    ...(keep === undefined ? [] : keepProblems(keep, `${field}.keep`)),
  ]
}

const keepProblems = (keep: unknown, field: string): string[] => {
  if (!isObject(keep)) return [`${field} must be an object`]
  const { newest, youngerThan, pulledWithin, matching } = keep
  // A rule that keeps nothing is more often a slip of the pen than meant.
  const any = [newest, youngerThan, pulledWithin, matching].some((condition) => condition !== undefined)
  return [
    ...unknownMembers(keep, members.keep, field),
    ...(any ? [] : [`${field} must say what to keep (${members.keep.join(', ')}); to keep every tag, leave it out`]),
    ...(newest === undefined || (Number.isSafeInteger(newest) && (newest as number) >= 1)
      ? []
      : [`${field}.newest must be a whole number of 1 or more`]),
    ...secondsProblems(youngerThan, `${field}.youngerThan`),
    ...secondsProblems(pulledWithin, `${field}.pulledWithin`),
    ...(matching === undefined ? [] : matchingProblems(matching, `${field}.matching`)),
  ]
}

const matchingProblems = (matching: unknown, field: string): string[] => {
  if (!Array.isArray(matching) || matching.length === 0 || matching.length > mostGlobs) {
    return [`${field} must be a list of 1 to ${mostGlobs} globs, or semver`]
  }
  return matching.flatMap((glob: unknown, index) =>
    typeof glob === 'string' && tagGlob.test(glob)
      ? []
      : [`${field}[${index}] must be a tag, a glob such as v*, or semver`],
  )
}

const secondsProblems = (value: unknown, field: string): string[] =>
  value === undefined || (typeof value === 'number' && value >= 0 && value <= longest)
    ? []
    : [`${field} must be a number of seconds from 0 to ${longest}`]

const rateProblems = (value: unknown, field: string): string[] =>
  value === undefined || (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER)
    ? []
    : [`${field} must be a number of bytes a second, 0 or more`]

const unknownMembers = (value: object, known: readonly string[], field: string): string[] =>
  Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `${field}.${name} is not an option; there are ${known.join(', ')}`)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
