import { ClientError } from '../errors.ts'
import { type AuthEntry, readAuthEntry } from './auth-entry.ts'
import type { Credential } from './credential.ts'
import { parseSecretJson } from './json-text.ts'
import { covers, dockerSpelling, readKey, type RegistryKey, shownKey } from './registry-key.ts'

/** What `config.json` of Docker and `auth.json` of Podman say about credentials. */
export interface AuthFile {
  /** The path of the file, or the name of the variable that holds it. */
  readonly name: string
  readonly auths: ReadonlyMap<string, AuthEntry>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: string | undefined
}

/** A program that a file names, and where it does. */
export interface NamedHelper {
  readonly helper: string
  readonly configuredBy: string
}

/**
 * An empty text is an empty file: Docker takes it so.
 *
 * @throws {ClientError} `invalid-content`
 */
export const parseAuthFile = (name: string, text: string): AuthFile => {
  const value = text.trim() === '' ? {} : parseSecretJson(name, text)
  const { auths, credHelpers, credsStore } = object(name, '', value)
  if (credsStore !== undefined && credsStore !== null && typeof credsStore !== 'string') {
    throw wrong(name, 'credsStore', 'is not a string')
  }
  return {
    name,
    auths: members(name, 'auths', auths, (where, entry) => object(name, where, entry)),
    credHelpers: members(name, 'credHelpers', credHelpers, (where, program) => {
      if (typeof program === 'string') return program
      throw wrong(name, where, 'is not a string')
    }),
    credsStore: credsStore || undefined,
  }
}

/** The keys of `auths` that may be shown to what is wanted: longest path first, then as Docker spells it, then as they stand. */
export const authsFor = (file: AuthFile, wanted: RegistryKey): { text: string; key: RegistryKey }[] => {
  const spelling = dockerSpelling({ registry: wanted.registry, path: '' })
  return [...file.auths.keys()]
    .map((text) => ({ text, key: readKey(text) }))
    .filter(({ key }) => covers(key, wanted))
    .toSorted(
      (a, b) => b.key.path.length - a.key.path.length || Number(b.text === spelling) - Number(a.text === spelling),
    )
}

/**
 * The first credential under these keys.
 *
 * @throws {ClientError} `invalid-content`
 */
export const firstInline = (file: AuthFile, keys: readonly { text: string }[]): Credential | undefined => {
  for (const { text } of keys) {
    const credential = readAuthEntry(`${file.name}: ${placeOf('auths', text)}`, file.auths.get(text) ?? {})
    if (credential !== undefined) return credential
  }
  return undefined
}

/** What `credHelpers` says for the registry: a helper, or, by an empty name, that none is wanted. */
export const registryHelper = (file: AuthFile, registry: string): NamedHelper | 'none' | undefined => {
  const spelling = dockerSpelling({ registry, path: '' })
  const keys = [...file.credHelpers.keys()].filter((text) => covers(readKey(text), { registry, path: '' }))
  const text = keys.find((key) => key === spelling) ?? keys[0]
  if (text === undefined) return undefined
  const helper = file.credHelpers.get(text) ?? ''
  return helper === '' ? 'none' : { helper, configuredBy: `${placeOf('credHelpers', text)} in ${file.name}` }
}

/** The helper that Docker asks for the registry: its own, else that of `credsStore`. */
export const helperFor = (file: AuthFile, registry: string): NamedHelper | undefined => {
  const own = registryHelper(file, registry)
  if (own !== undefined) return own === 'none' ? undefined : own
  return file.credsStore === undefined
    ? undefined
    : { helper: file.credsStore, configuredBy: `credsStore in ${file.name}` }
}

/** Where a member stands. A key that is no name of a registry is not shown. */
const placeOf = (of: string, text: string): string => {
  const key = shownKey(text)
  return key === undefined ? `an entry of ${of}` : `${of}[${JSON.stringify(key)}]`
}

const object = (name: string, where: string, value: unknown): AuthEntry => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as AuthEntry
  throw wrong(name, where, 'is not an object')
}

const members = <T>(
  name: string,
  of: string,
  value: unknown,
  read: (where: string, member: unknown) => T,
): ReadonlyMap<string, T> => {
  if (value === undefined || value === null) return new Map()
  const entries = Object.entries(object(name, of, value))
  return new Map(entries.map(([text, member]) => [text, read(placeOf(of, text), member)]))
}

const wrong = (name: string, where: string, problem: string): ClientError =>
  new ClientError('invalid-content', `${where === '' ? name : `${name}: ${where}`} ${problem}.`, {
    subject: name,
    hint: 'Mend it by hand: it is left as it is.',
  })
