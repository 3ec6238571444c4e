import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program to its end, and gives what it wrote. An error has what it complained of. */
export const runProgram = async (program: string, ...args: readonly string[]): Promise<Buffer> => {
  const { stdout } = await promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
