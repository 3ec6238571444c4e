import { escapeControls } from '../config/show.ts'

const quiet: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname'])

/** One line of the log for a person at a terminal: `12:03:04 info  message key=value`, an error's stack below it. */
export const pretty = (line: string): string => {
  const entry = JSON.parse(line) as Record<string, unknown>
  const time = typeof entry['time'] === 'string' ? entry['time'].slice(11, 19) : ''
  const facts = Object.entries(entry)
    .filter(([key]) => !quiet.has(key))
    .map(([key, value]) => ` ${plain(key)}=${plain(value)}`)
  const { err } = entry
  return `${time} ${plain(entry['level']).padEnd(5)} ${plain(entry['msg'])}${facts.join('')}${errorOf(err)}\n`
}

/** Words stand as they are, everything else as JSON: quoted, so that data cannot pass for a part of the line. */
const plain = (value: unknown): string => {
  if (typeof value === 'string' && /^[\w./:@+,;'() -]*$/.test(value)) return value
  return escapeControls(JSON.stringify(value) ?? '')
}

const errorOf = (err: unknown): string => {
  if (typeof err !== 'object' || err === null) return ''
  const stack = 'stack' in err && typeof err.stack === 'string' ? err.stack : JSON.stringify(err)
  const lines = stack.split('\n')
  return lines.map((line) => `\n    ${escapeControls(line.trimEnd())}`).join('')
}
