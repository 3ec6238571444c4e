import type { z } from 'zod'
import type { Problem } from '../failure.ts'
import { namesBySection, pathOf } from './schema.ts'
import { type SettingKey, settingKeys } from './settings.ts'
import { show } from './show.ts'
import { nearest } from './suggest.ts'

/** What the schema found wrong, in the words of a configuration file, and at which key. */
export interface Finding {
  readonly path: readonly string[]
  readonly problem: Problem
}

export const findingsOf = (error: z.ZodError): Finding[] =>
  error.issues.flatMap((issue): Finding[] => {
    const path = issue.path.map(String)
    const key = settingKeys.find((known) => isWithin(path, known))
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
    if (key !== undefined) {
      const name = `${key}${itemPath(issue.path.slice(pathOf(key).length))}`
      return [{ path: [...path, ...unknown.slice(0, 1)], problem: { key, message: `${name} ${issue.message}` } }]
    }
    if (unknown.length > 0) {
      return unknown.map((name) => ({ path: [...path, name], problem: { message: unknownKey(path, name) } }))
    }
    const name = path.join('.')
    return [{ path, problem: { message: `${name === '' ? 'The configuration' : name} ${issue.message}` } }]
  })

const isWithin = (path: readonly string[], key: SettingKey): boolean =>
  pathOf(key).every((name, index) => path[index] === name)

/** Where in a value: `[0].subject`. */
export const itemPath = (path: readonly PropertyKey[]): string =>
  path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')

const unknownKey = (path: readonly string[], name: string): string => {
  const full = [...path, name].join('.')
  const what = `${show(full).slice(1, -1)} is not a setting`
  const guess = suggestion(path.join('.'), name, full)
  return guess === undefined
    ? `${what}; there are ${(namesBySection.get(path.join('.')) ?? []).join(', ')}`
    : `${what}; ${guess}`
}

const suggestion = (section: string, name: string, full: string): string | undefined => {
  const exact = settingKeys.find((key) => key === name && key.includes('.'))
  if (exact !== undefined) {
    const [outer = '', inner = ''] = exact.split('.')
    return `write it as a section: ${outer}: { ${inner}: … }`
  }
  const here = nearest(name, namesBySection.get(section) ?? [])
  if (here !== undefined) return `did you mean ${section === '' ? here : `${section}.${here}`}?`
  const elsewhere = settingKeys.find((key) => key.split('.').at(-1)?.toLowerCase() === name.toLowerCase())
  const near = elsewhere ?? nearest(full, settingKeys)
  return near === undefined ? undefined : `did you mean ${near}?`
}
