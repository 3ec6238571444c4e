import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import { type Environment, variable } from './environment.ts'

/**
 * The program of that name on `PATH`, as an absolute path. Entries of `PATH` that are not absolute are passed over: a program
 * that lies in the working directory, which may be anybody's checkout, is never shown a credential.
 */
export const findProgram = async (name: string, environment: Environment): Promise<string | undefined> => {
  // Windows knows no upper and lower case here, but a copy of its environment does.
  const path = variable(environment, 'PATH') ?? variable(environment, 'Path') ?? ''
  for (const directory of path.split(delimiter)) {
    if (!isAbsolute(directory)) continue
    const program = join(directory, platform() === 'win32' ? `${name}.exe` : name)
    if (await isProgram(program)) return program
  }
  return undefined
}

const isProgram = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
