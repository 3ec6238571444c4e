import { administrationExitCodeHelp, clientExitCodeHelp } from '../help.ts'
import type { ClientCommand } from './define.ts'
import type { ListedCommand } from './find-command.ts'
import { toCommander } from './parse.ts'

/** `stowage ls --help`. */
export const commandHelp = (listed: ListedCommand, command: ClientCommand): string => {
  const made = toCommander(`stowage ${listed.name}`, command)
  const width = Math.max(...command.examples.map(([line]) => line.length))
  const examples = command.examples.map(([line, what]) =>
    width > 60 ? `  # ${what}\n  ${line}` : `  ${line.padEnd(width)}  ${what}`,
  )
  const aliases = listed.aliases.length === 0 ? '' : `\nAlso called: ${listed.aliases.join(', ')}\n`
  const notes = command.notes === undefined ? '' : `\n${command.notes}\n`
  const exitCodes = command.sides === 'server' ? administrationExitCodeHelp : clientExitCodeHelp
  return `${made.helpInformation()}${notes}\nExamples:\n${examples.join('\n')}\n${aliases}${exitCodes}`
}

const isIn = (group: string, name: string): boolean => name.startsWith(`${group} `)

/** `stowage manifest --help`. */
export const groupHelp = (group: string, list: readonly ListedCommand[]): string => {
  // What has its first name here goes before what is here by another name.
  const sorted = list.toSorted((one, other) => Number(isIn(group, other.name)) - Number(isIn(group, one.name)))
  const rows = sorted.flatMap((listed) => {
    const own = [listed.name, ...listed.aliases].find((name) => isIn(group, name))
    return own === undefined ? [] : [[own, listed.summary] as const]
  })
  const leaf = list.find(({ name, aliases }) => name === group || aliases.includes(group))
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, summary]) => `  stowage ${name.padEnd(width)}  ${summary}`)
  const bare =
    leaf === undefined || rows.length === 0
      ? ''
      : `\nWithout one of these words, stowage ${group} … means: ${leaf.summary}.\n`
  return `Usage: stowage ${group} <command>\n\nCommands:\n${lines.join('\n')}\n${bare}
Each command has its own help: stowage ${rows[0]?.[0] ?? group} --help
`
}
