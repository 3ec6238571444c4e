import { homedir, platform } from 'node:os'

/** Variables by name; `process.env` is one. An empty variable counts as one that is not set. */
export type Environment = Readonly<Record<string, string | undefined>>

export const variable = (environment: Environment, name: string): string | undefined => {
  const value = environment[name]
  return value === '' ? undefined : value
}

export const homeDirectory = (environment: Environment): string =>
  variable(environment, platform() === 'win32' ? 'USERPROFILE' : 'HOME') ?? homedir()
