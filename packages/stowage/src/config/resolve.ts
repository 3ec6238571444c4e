import { dirname, resolve } from 'node:path'
import { configurationError, type Problem } from '../failure.ts'
import { configFileVariable, type Environment, readEnvironment } from './environment.ts'
import { readConfigFile } from './file.ts'
import { valueSchema } from './kinds.ts'
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
 * Puts the sources together: a flag goes before the environment, that before the file, that before the default. Paths in
 * the file are relative to the file, all others to the working directory.
 *
 * @throws StowageError that lists every problem of every source.
 */
export const resolveConfiguration = ({ flags = {}, environment = {}, file }: ConfigurationInput): Resolved => {
  const problems: Problem[] = []
  const values = new Map<SettingKey, unknown>()
  const sources = new Map<SettingKey, Source>()
  const set = (key: SettingKey, given: unknown, source: Source, base: string): void => {
    const result = valueSchema(key).safeParse(given)
    if (result.success) {
      values.set(key, settingOf(key).kind === 'path' ? resolve(base, result.data as string) : result.data)
      sources.set(key, source)
    } else {
      for (const { message } of result.error.issues) {
        problems.push({ key, message, ...('name' in source ? { where: source.name } : {}) })
      }
    }
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
    const name = key === 'address' ? 'address' : flagOf(key)
    if (flags[key] !== undefined) set(key, flags[key], { kind: 'flag', name }, here)
  }
  if (problems.length > 0) throw configurationError(problems)
  return { settings: toSettings(values), sources }
}

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
