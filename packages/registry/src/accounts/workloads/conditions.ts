import { matchesGlob } from '../../access/permission.ts'

/**
 * Whether each of the conditions is met: the claim is there, and its value matches the glob. Of an array one member must.
 * Without conditions nobody passes: CI systems are shared by strangers.
 */
export const meetsConditions = (
  conditions: Readonly<Record<string, string>>,
  claims: Readonly<Record<string, unknown>>,
): boolean => {
  const entries = Object.entries(conditions)
  return (
    entries.length > 0 && entries.every(([name, glob]) => Object.hasOwn(claims, name) && matches(glob, claims[name]))
  )
}

const matches = (glob: string, value: unknown): boolean =>
  Array.isArray(value) ? value.some((member) => matchesPlain(glob, member)) : matchesPlain(glob, value)

const matchesPlain = (glob: string, value: unknown): boolean =>
  (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') &&
  matchesGlob(glob, String(value))
