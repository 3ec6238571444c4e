import { z } from 'zod'
import { parseAddress } from './address.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { isListKind, type ListKind, listSchema } from './lists.ts'
import { isUserName } from './names.ts'
import { type Kind, type KindValues, logLevels, type Setting } from './setting.ts'
import { settingOf, type SettingKey } from './settings.ts'
import { show } from './show.ts'
import { formatSize, parseSize } from './size.ts'
import { isEndpoint, isSecureEndpoint, isUrl, plainText } from './urls.ts'

/**
 * What each kind of value may look like. One schema serves every source: a configuration file has typed values, the
 * environment and flags have text, and either form is taken everywhere.
 */
export const valueSchema = (key: SettingKey): z.ZodType => {
  const setting = settingOf(key)
  const { kind } = setting
  return isListKind(kind) ? listSchema(kind) : plainSchema(kind, setting)
}

type PlainKind = Exclude<Kind, ListKind>

const plainSchema = (kind: PlainKind, setting: Setting): z.ZodType =>
  z.unknown().transform((given, context) => {
    const { least, most, whole } = setting
    const value = read[kind](given)
    const fits =
      value !== undefined &&
      (typeof value !== 'number' ||
        (value >= (least ?? 0) && value <= (most ?? value) && (whole !== true || Number.isInteger(value))))
    if (fits) return value
    const but = mayHoldSecret.has(kind) ? '' : `, not ${show(given)}`
    context.addIssue({ code: 'custom', message: `must be ${wanted[kind]}${bounds(kind, setting)}${but}` })
    return z.NEVER
  })

/** Not repeated in messages: a URL may carry a password. */
const mayHoldSecret: ReadonlySet<Kind> = new Set(['url', 'endpoint', 'keys', 'secret'])

const read: { readonly [K in PlainKind]: (given: unknown) => KindValues[K] | undefined } = {
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
  endpoint: (given) => (typeof given === 'string' && isEndpoint(given) ? given : undefined),
  boolean: (given) => (typeof given === 'boolean' ? given : booleans.get(word(given))),
  switch: (given) => (typeof given === 'boolean' ? given : switches.get(word(given))),
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
  count: (given) => {
    const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
  },
  text: (given) => (typeof given === 'string' && plainText.test(given) ? given : undefined),
  service: (given) => (typeof given === 'string' && /^[\w.:/-]{1,200}$/.test(given) ? given : undefined),
  user: (given) => (typeof given === 'string' && isUserName(given) ? given : undefined),
  secret: (given) => (typeof given === 'string' && isPassword(given) ? given : undefined),
  keys: (given) => {
    if (typeof given === 'string' && isUrl(given)) return isSecureEndpoint(given) ? given : undefined
    return read.path(given)
  },
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['true', true],
  ['1', true],
  ['no', false],
  ['false', false],
  ['0', false],
])

/** Text, or a number that somebody wrote without quotes; a list of one word is neither. */
const word = (given: unknown): string =>
  typeof given === 'string' || typeof given === 'number' ? String(given).toLowerCase() : ''

const switches = new Map([...booleans, ['on', true], ['off', false]])

/** As the environment has it. @returns undefined when it is neither yes nor no. */
export const parseBoolean = (text: string): boolean | undefined => read.boolean(text)

/** What the registry takes for one. */
export const isPassword = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- finding them is the purpose
  text.length >= 8 && Buffer.byteLength(text) <= 1024 && !/[\u0000-\u001f\u007f]/.test(text)

/** As browsers send it in `Origin`: anything else would never match. */
const isOrigin = (given: unknown): given is string =>
  typeof given === 'string' && URL.canParse(given) && new URL(given).origin === given

const wanted: { readonly [K in PlainKind]: string } = {
  address: 'an address such as 5000, 127.0.0.1:8000, localhost:8000, [::1]:5000, 0.0.0.0 or :5000',
  path: 'the path of a file or directory',
  url: 'an http or https URL without credentials, query or fragment',
  endpoint: 'an http or https URL without credentials or fragment',
  boolean: 'yes, true or 1, or else no, false or 0',
  switch: 'on, yes, true or 1, or else off, no, false or 0',
  duration: 'a duration such as 250ms, 30s, 10m, 2h or 7d (a bare number is seconds)',
  size: 'a size such as 4096, 512KiB or 10GiB (a bare number is bytes)',
  count: 'a whole number',
  origins: '* or a list of origins such as https://app.example (scheme, host and port, no path)',
  level: logLevels.join(', '),
  text: 'text of at most 1024 characters, without quotes and backslashes',
  service: 'a name of letters, digits and ._:/-, such as the host of the registry',
  user: 'a user name: letters, digits and ._@+-, at most 128, the first a letter or digit, and not anonymous',
  secret:
    "text of at least 8 characters and at most 1024 bytes, without control characters (in a file, in quotes: '…')",
  keys: 'an https URL (http only on this machine) without credentials or fragment, or the path of a file',
}

const bounds = (kind: Kind, { least, most, whole }: Setting): string => {
  const written = (value: number): string =>
    kind === 'size' ? formatSize(value) : kind === 'duration' ? formatDuration(value) : String(value)
  const parts: string[] = []
  if (whole === true) parts.push('in whole seconds')
  if (most !== undefined) parts.push(`from ${written(least ?? 0)} to ${written(most)}`)
  else if (least !== undefined && least > 0) parts.push(`of ${written(least)} or more`)
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}
