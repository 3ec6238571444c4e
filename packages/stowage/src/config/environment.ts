import { parseBoolean } from './kinds.ts'
import { environmentNames, type SettingKey, settingKeys, settingOf } from './settings.ts'
import { nearest } from './suggest.ts'
import type { Problem } from '../failure.ts'
import { show } from './show.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface EnvironmentValue {
  readonly key: SettingKey
  readonly name: string
  /** In the sense of the key, also where the name says the opposite. */
  readonly text: string
}

/** The path of the configuration file, unless `--config` gives one. */
export const configFileVariable = 'STOWAGE_CONFIG'

/**
 * What the environment says. An empty variable counts as one that is not set: compose files write `${X:-}`. An unknown
 * `STOWAGE_` variable is a problem like an unknown key, for a setting with a slip of the pen in its name would do nothing.
 */
export const readEnvironment = (environment: Environment): { values: EnvironmentValue[]; problems: Problem[] } => {
  const problems: Problem[] = []
  const values = settingKeys.flatMap((key) => {
    const { opposites = [], unanimous } = settingOf(key)
    const found = environmentNames(key).flatMap((name): EnvironmentValue[] => {
      const text = environment[name]
      if (text === undefined || text === '') return []
      if (!opposites.includes(name)) return [{ key, name, text }]
      const opposite = parseBoolean(text)
      if (opposite !== undefined) return [{ key, name, text: opposite ? 'no' : 'yes' }]
      const message = `must be yes, true or 1, or else no, false or 0, not ${show(text)}`
      problems.push({ key, where: name, message })
      return []
    })
    const [first, other] = found
    // Whether they agree is seen where all places come together.
    if (first === undefined || unanimous === true) return found
    if (other !== undefined && other.text !== first.text) {
      problems.push({
        key,
        where: other.name,
        message: `says ${show(other.text)} but ${first.name} says ${show(first.text)}`,
      })
    }
    return [first]
  })
  const known = new Set([configFileVariable, ...ofTheClient, ...settingKeys.flatMap(environmentNames)])
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('STOWAGE_') || known.has(name) || isServiceLink(name)) continue
    const guess = nearest(name, [...known])
    problems.push({ where: name, message: `is not a setting${guess === undefined ? '' : `; did you mean ${guess}?`}` })
  }
  return { values, problems }
}

/** What the commands of the client read: a shell that pushes may also serve. */
const ofTheClient = ['STOWAGE_REGISTRY', 'STOWAGE_USERNAME', 'STOWAGE_PASSWORD', 'STOWAGE_TOKEN'] as const

/** Kubernetes describes a service that is called `stowage` to every container beside it in variables such as these. */
const isServiceLink = (name: string): boolean =>
  /_SERVICE_(?:HOST|PORT)(?:_|$)/.test(name) || /_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/.test(name)
