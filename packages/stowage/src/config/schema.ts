import { z } from 'zod'
import { valueSchema } from './kinds.ts'
import { type SettingKey, settingKeys } from './settings.ts'

/** A key where it stands in the configuration file: its section, if it has one, and its name there. */
export const placeOf = (key: SettingKey): readonly [section: string | undefined, name: string] => {
  const [first = '', second] = key.split('.')
  return second === undefined ? [undefined, first] : [first, second]
}

export const pathOf = (key: SettingKey): string[] => key.split('.')

/** Sections of the configuration file, each with the names in it; `''` for the top level. */
export const namesBySection: ReadonlyMap<string, readonly string[]> = (() => {
  const sections = new Map<string, string[]>([['', []]])
  for (const key of settingKeys) {
    const [section, name] = placeOf(key)
    if (section !== undefined && !sections.has(section)) {
      sections.set(section, [])
      sections.get('')?.push(section)
    }
    sections.get(section ?? '')?.push(name)
  }
  return sections
})()

/** The configuration file, and the options of `serve()`: nested, strict, every setting optional. */
export const nestedSchema: z.ZodType<Nested> = (() => {
  const sections = new Map<string, Record<string, z.ZodType>>([['', {}]])
  for (const key of settingKeys) {
    const [section = '', name] = placeOf(key)
    const shape = sections.get(section) ?? {}
    shape[name] = valueSchema(key).optional()
    sections.set(section, shape)
  }
  const top = sections.get('') ?? {}
  for (const [section, shape] of sections) {
    if (section === '') continue
    // A section of which everything was commented out is null.
    top[section] = z.preprocess(
      (value) => value ?? {},
      z.strictObject(shape, { error: 'must be a section of settings' }),
    )
  }
  return z.strictObject(top, { error: 'must be settings, one to a line, as in `data: ./data`' })
})()

export type Nested = Readonly<Record<string, unknown>>

export const getNested = (nested: Nested, key: SettingKey): unknown => {
  const [section, name] = placeOf(key)
  if (section === undefined) return nested[name]
  const within = nested[section]
  return typeof within === 'object' && within !== null ? (within as Nested)[name] : undefined
}
