import { readFileSync, statSync } from 'node:fs'
import type { SettingKey } from '../config/settings.ts'
import type { Problem } from '../failure.ts'

/** Certificates and secrets are small: what is larger is the wrong file. */
const maxBytes = 1024 * 1024

/** What is in the file that a setting names; if it cannot be had, a problem that says why. */
export const readSettingFile = (key: SettingKey, path: string, problems: Problem[]): Buffer | undefined => {
  try {
    const { size } = statSync(path)
    if (size <= maxBytes) return readFileSync(path)
    problems.push({ key, message: `${key}: ${path} is larger than 1 MiB` })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    const why =
      { ENOENT: 'it does not exist', EACCES: 'this user may not read it', EISDIR: 'it is a directory' }[code] ?? code
    problems.push({ key, message: `${key}: ${path} cannot be read: ${why}` })
  }
  return undefined
}
