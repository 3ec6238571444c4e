import { stringify } from 'yaml'
import { formatDuration } from './duration.ts'
import { describeSource, type Resolved } from './resolve.ts'
import { placeOf } from './schema.ts'
import { type SettingKey, settingKeys, settingOf } from './settings.ts'
import { formatSize } from './size.ts'

/** The configuration in effect as a configuration file, each line with where its value came from. */
export const printConfiguration = ({ settings, sources }: Resolved): string => {
  const rows: { line: string; note: string }[] = []
  let within: string | undefined
  for (const key of settingKeys) {
    const [section, name] = placeOf(key)
    if (section !== undefined && section !== within) rows.push({ line: `${section}:`, note: '' })
    within = section
    const indent = section === undefined ? '' : '  '
    const value = settings[key]
    const source = sources.get(key)
    if (value === undefined || source === undefined) rows.push({ line: `${indent}# ${name}:`, note: 'not set' })
    // As a comment: what is printed can be used as a file, and this must not become the password.
    else if (settingOf(key).kind === 'secret')
      rows.push({ line: `${indent}# ${name}: [hidden]`, note: describeSource(source) })
    else rows.push({ line: `${indent}${name}: ${written(key, value)}`, note: describeSource(source) })
  }
  const width = Math.max(...rows.map(({ line }) => line.length))
  return rows.map(({ line, note }) => (note === '' ? line : `${line.padEnd(width)}  # ${note}`)).join('\n')
}

const written = (key: SettingKey, value: unknown): string => {
  const { kind } = settingOf(key)
  if (kind === 'switch') return value === true ? 'on' : 'off'
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value)
  if (kind === 'size' && typeof value === 'number') return formatSize(value)
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd()
}
