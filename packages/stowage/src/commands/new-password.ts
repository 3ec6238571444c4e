import { flag } from '../command-line/option-kinds.ts'
import type { Prompt } from '../command-line/prompt.ts'
import { StowageError } from '../failure.ts'

export const passwordOptions = {
  passwordStdin: flag('--password-stdin', 'read the password from stdin; without it you are asked'),
}

/**
 * A password for `name`: from stdin, or from a person who writes it twice. It is never on the command line, which everybody on
 * the machine can read.
 *
 * @param otherwise What else could be done where there is nobody to ask.
 */
export const newPassword = async (
  name: string,
  passwordStdin: boolean,
  prompt: Prompt,
  otherwise = '',
): Promise<string> => {
  if (passwordStdin) return prompt.readStdin()
  if (!prompt.interactive) {
    throw new StowageError('usage', 'There is nobody to ask for a password: stdin is no terminal.', {
      hint: `Pipe it in with --password-stdin${otherwise}.`,
    })
  }
  const password = await prompt.ask(`New password of ${name}`)
  if ((await prompt.ask('The same once more')) === password) return password
  throw new StowageError('usage', 'That was not the same. Nothing was changed.')
}
