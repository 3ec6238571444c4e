import { resolve } from 'node:path'
import { type SettingKey, settingOf } from './settings.ts'
import { isUrl } from './urls.ts'

/** A value with its path, if it is one, made absolute: it must not hang on where the program goes next. */
export const absolute = (key: SettingKey, value: unknown, base: string): unknown => {
  const { kind } = settingOf(key)
  const isPath = kind === 'path' || (kind === 'keys' && typeof value === 'string' && !isUrl(value))
  return isPath && typeof value === 'string' ? resolve(base, value) : value
}
