import { dirname } from 'node:path'
import { configurationError, type Problem } from '../failure.ts'
import { configFileVariable, type Environment, readEnvironment } from './environment.ts'
import { readConfigFile } from './file.ts'
import { itemPath } from './issues.ts'
import { valueSchema } from './kinds.ts'
import { absolute } from './paths.ts'
import { flagOf, type SettingKey, settingKeys, settingOf, type Settings } from './settings.ts'

/** Where the value of a setting came from. */
export type Source =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly name: string; readonly line: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'flag'; readonly name: string }

export interface Resolved {
  readonly settings: Settings
  readonly sources: ReadonlyMap<SettingKey, Source>
}

export interface ConfigurationInput {
  /** What the command line says, as text or booleans. */
  readonly flags?: { readonly [K in SettingKey]?: unknown }
  readonly environment?: Environment | undefined
  /** Path of the configuration file; `STOWAGE_CONFIG` when it is not given. */
  readonly file?: string | undefined
}

/**
 * Puts the sources together: a flag goes before the environment, that before the file, that before the default. Where two
 * places must not contradict each other, none goes before another: whether anybody may push hangs on it. Paths in the file
 * are relative to the file, all others to the working directory.
 *
 * @throws StowageError that lists every problem of every source.
 */
export const resolveConfiguration = ({ flags = {}, environment = {}, file }: ConfigurationInput): Resolved => {
  const problems: Problem[] = []
  const values = new Map<SettingKey, unknown>()
  const sources = new Map<SettingKey, Source>()
  const set = (key: SettingKey, given: unknown, source: Source, base: string): void => {
    const result = valueSchema(key).safeParse(given)
    if (!result.success) {
      for (const { message, path } of result.error.issues) {
        const where = itemPath(path)
        const said = where === '' ? message : `${where} ${message}`
        problems.push({ key, message: said, ...('name' in source ? { where: source.name } : {}) })
      }
      return
    }
    const before = sources.get(key)
    if (settingOf(key).unanimous === true && before !== undefined && values.get(key) !== result.data) {
      problems.push(contradiction(key, { source, value: result.data }, { source: before, value: values.get(key) }))
      return
    }
    values.set(key, absolute(key, result.data, base))
    sources.set(key, source)
  }

  const here = process.cwd()
  for (const key of settingKeys) {
    const fallback = settingOf(key).default
    if (fallback !== undefined) set(key, fallback, { kind: 'default' }, here)
  }
  const path = file ?? (environment[configFileVariable] === '' ? undefined : environment[configFileVariable])
  if (path !== undefined) {
    try {
      for (const { key, value, line } of readConfigFile(path))
        set(key, value, { kind: 'file', name: path, line }, dirname(path))
    } catch (error) {
      if (!(error instanceof Error && 'problems' in error && Array.isArray(error.problems))) throw error
      if (error.problems.length === 0) problems.push({ message: error.message })
      problems.push(...(error.problems as Problem[]))
    }
  }
  const fromEnvironment = readEnvironment(environment)
  problems.push(...fromEnvironment.problems)
  for (const { key, name, text } of fromEnvironment.values) set(key, text, { kind: 'environment', name }, here)
  for (const key of settingKeys) {
    const given = flags[key]
    const name = key === 'address' ? 'address' : given === false ? flagOf(key).replace('--', '--no-') : flagOf(key)
    if (given !== undefined) set(key, given, { kind: 'flag', name }, here)
  }
  if (problems.length > 0) throw configurationError(problems)
  return { settings: toSettings(values), sources }
}

interface Said {
  readonly source: Source
  readonly value: unknown
}

const contradiction = (key: SettingKey, here: Said, there: Said): Problem => ({
  key,
  where: describeSource(here.source),
  message:
    `says that ${key} is ${here.value === true ? 'on' : 'off'}, but ${describeSource(there.source)} says that it is ` +
    `${there.value === true ? 'on' : 'off'}. Change one of them: none goes before the other.`,
})

/** A source as people look for it. */
export const describeSource = (source: Source): string => {
  switch (source.kind) {
    case 'default':
      return 'default'
    case 'file':
      return `${source.name}:${source.line}`
    case 'environment':
    case 'flag':
      return source.name
  }
}

/** The schema has checked each value against its key; the compiler cannot follow that through a map. */
const toSettings = (values: ReadonlyMap<SettingKey, unknown>): Settings =>
  Object.fromEntries(settingKeys.map((key) => [key, values.get(key)])) as unknown as Settings
