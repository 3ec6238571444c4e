import type { z } from 'zod'
import type { Problem } from '../failure.ts'
import { namesBySection } from './schema.ts'
import { settingKeys } from './settings.ts'
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
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => ({ path: [...path, name], problem: { message: unknownKey(path, name) } }))
    }
    const name = path.join('.')
    const key = settingKeys.find((known) => known === name)
    const message = name === '' ? `The configuration ${issue.message}` : `${name} ${issue.message}`
    return [{ path, problem: key === undefined ? { message } : { key, message } }]
  })

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
