import { flag } from '../command-line/option-kinds.ts'
import type { Prompt } from '../command-line/prompt.ts'
import { StowageError } from '../failure.ts'

/** Of commands that delete. */
export const confirmOptions = {
  force: flag('-f, --force', 'do not ask', { also: ['--yes', '-y'] }),
}

/** Asks a person, if there is one: a script knows what it does. @throws {StowageError} `interrupted` for a no */
export const confirmDeletion = async (question: string, force: boolean, prompt: Prompt): Promise<void> => {
  if (force || !prompt.interactive || (await prompt.confirm(question))) return
  throw new StowageError('interrupted', 'Nothing was deleted.')
}
