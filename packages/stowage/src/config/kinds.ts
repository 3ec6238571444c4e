import { z } from 'zod'
import { parseAddress } from './address.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { type Kind, type KindValues, logLevels, settingOf, type SettingKey } from './settings.ts'
import { show } from './show.ts'
import { formatSize, parseSize } from './size.ts'

/**
 * What each kind of value may look like. One schema serves every source: a configuration file has typed values, the
 * environment and flags have text, and either form is taken everywhere.
 */
export const valueSchema = (key: SettingKey): z.ZodType =>
  z.unknown().transform((given, context) => {
    const { kind, least, whole } = settingOf(key)
    const value = read[kind](given)
    const fits =
      value !== undefined &&
      (typeof value !== 'number' || (value >= (least ?? 0) && (whole !== true || Number.isInteger(value))))
    if (fits) return value
    // A URL may carry a password: it is not repeated.
    const but = kind === 'url' ? '' : `, not ${show(given)}`
    context.addIssue({ code: 'custom', message: `must be ${wanted[kind]}${bounds(kind, least, whole)}${but}` })
    return z.NEVER
  })

const read: { readonly [K in Kind]: (given: unknown) => KindValues[K] | undefined } = {
  address: (given) => {
    const text = typeof given === 'number' ? String(given) : given
    return typeof text === 'string' && parseAddress(text) !== undefined ? text : undefined
  },
  path: (given) => (typeof given === 'string' && given !== '' && !given.includes('\0') ? given : undefined),
  url: (given) => {
    if (typeof given !== 'string' || !URL.canParse(given)) return undefined
    const { protocol, search, hash, username, password } = new URL(given)
    const plain = search === '' && hash === '' && username === '' && password === ''
    return plain && (protocol === 'http:' || protocol === 'https:') ? given.replace(/\/+$/, '') : undefined
  },
  boolean: (given) => (typeof given === 'boolean' ? given : booleans.get(String(given).toLowerCase())),
  duration: (given) =>
    typeof given === 'number'
      ? parseDuration(String(given))
      : typeof given === 'string'
        ? parseDuration(given)
        : undefined,
  size: (given) =>
    typeof given === 'number' ? parseSize(String(given)) : typeof given === 'string' ? parseSize(given) : undefined,
  origins: (given) => {
    if (given === '*') return '*'
    const list = typeof given === 'string' ? given.split(',').map((origin) => origin.trim()) : given
    if (!Array.isArray(list) || list.length === 0) return undefined
    return list.length === 1 && list[0] === '*' ? '*' : list.every(isOrigin) ? list : undefined
  },
  level: (given) => logLevels.find((level) => level === given),
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['true', true],
  ['1', true],
  ['no', false],
  ['false', false],
  ['0', false],
])

/** As browsers send it in `Origin`: anything else would never match. */
const isOrigin = (given: unknown): given is string =>
  typeof given === 'string' && URL.canParse(given) && new URL(given).origin === given

const wanted: { readonly [K in Kind]: string } = {
  address: 'an address such as 5000, 127.0.0.1:8000, localhost:8000, [::1]:5000, 0.0.0.0 or :5000',
  path: 'the path of a file or directory',
  url: 'an http or https URL without credentials, query or fragment',
  boolean: 'yes, true or 1, or else no, false or 0',
  duration: 'a duration such as 250ms, 30s, 10m, 2h or 7d (a bare number is seconds)',
  size: 'a size such as 4096, 512KiB or 10GiB (a bare number is bytes)',
  origins: '* or a list of origins such as https://app.example (scheme, host and port, no path)',
  level: logLevels.join(', '),
}

const bounds = (kind: Kind, least: number | undefined, whole: true | undefined): string => {
  const parts: string[] = []
  if (whole === true) parts.push('in whole seconds')
  if (least !== undefined && least > 0)
    parts.push(`of ${kind === 'size' ? formatSize(least) : formatDuration(least)} or more`)
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}
