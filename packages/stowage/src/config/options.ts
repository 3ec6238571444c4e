import { configurationError } from '../failure.ts'
import { findingsOf } from './issues.ts'
import { valueSchema } from './kinds.ts'
import { absolute } from './paths.ts'
import { getNested, nestedSchema, placeOf } from './schema.ts'
import type { KindValues, QuotaItem, RetentionItem } from './setting.ts'
import { type SettingKey, settingKeys, settingOf, type Settings, type settings } from './settings.ts'

/** What may be written for a value of each kind; durations and sizes also with their unit (`10m`, `4MiB`). */
interface Written extends Omit<KindValues, 'address' | 'duration' | 'size' | 'switch' | 'quotas' | 'retention'> {
  address: string | number
  duration: string | number
  size: string | number
  switch: boolean | 'on' | 'off'
  quotas: readonly WithSize<QuotaItem>[]
  retention: readonly WithDurations[]
}

type WithSize<T> = T extends unknown ? Omit<T, 'bytes'> & { readonly bytes: string | number } : never

type WithDurations = Omit<RetentionItem, 'keep'> & {
  readonly keep?: Omit<NonNullable<RetentionItem['keep']>, 'youngerThan' | 'pulledWithin'> & {
    readonly youngerThan?: string | number
    readonly pulledWithin?: string | number
  }
}

type Accepted<K extends SettingKey> = Written[(typeof settings)[K]['kind']] | undefined
type Section = SettingKey extends infer K ? (K extends `${infer S}.${string}` ? S : never) : never

/**
 * The settings as the configuration file writes them, for programs:
 * `{ address: '127.0.0.1:0', data: './data', uploads: { expireAfter: '10m' } }`. See `docs/configuration.md`.
 */
export type SettingsInput = {
  readonly [K in Exclude<SettingKey, `${string}.${string}`>]?: Accepted<K>
} & {
  readonly [S in Section]?:
    | { readonly [K in SettingKey as K extends `${S}.${infer Name}` ? Name : never]?: Accepted<K> }
    | undefined
}

/** @throws StowageError that lists every unknown key and every value that does not fit. */
export const settingsFrom = (input: SettingsInput): Settings => {
  const result = nestedSchema.safeParse(input)
  if (!result.success) throw configurationError(findingsOf(result.error).map(({ problem }) => problem))
  const values = settingKeys.map((key) => {
    const { default: fallback } = settingOf(key)
    const value = getNested(result.data, key) ?? (fallback === undefined ? undefined : valueSchema(key).parse(fallback))
    return [key, absolute(key, value, process.cwd())] as const
  })
  return Object.fromEntries(values) as unknown as Settings
}

/** The other way round: settings that were read, as options of `serve()`. */
export const toInput = (read: Settings): SettingsInput => {
  const input: Record<string, unknown> = {}
  for (const key of settingKeys) {
    const [section, name] = placeOf(key)
    if (read[key] === undefined) continue
    if (section === undefined) input[name] = read[key]
    else input[section] = { ...(input[section] as object | undefined), [name]: read[key] }
  }
  return input
}
