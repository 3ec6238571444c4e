import type { AuthFile, NamedHelper } from './auth-file.ts'
import type { Credential } from './credential.ts'
import { credentialHelper } from './credential-helper.ts'
import type { Environment } from './environment.ts'

/** How the programs that a credential file names are used. */
export interface HelperUse {
  /** Milliseconds that one call may take. 30 000 unless set. */
  readonly timeout?: number
  /**
   * Milliseconds for which an answer is kept, also the answer that there is none. For as long as the file does not change,
   * unless set; 0 asks the program each time. Set it where a program lives longer than the tokens that its helper gives.
   */
  readonly keep?: number
}

/** Asks the helper for the server, unless its answer is known. The file is the one that named it. */
export type AskHelper = (file: AuthFile, helper: NamedHelper, server: string) => Promise<Credential | undefined>

/** Answers are kept as long as the file is, so a changed file, as a login leaves it, has its helpers asked anew. */
export const rememberAnswers = (environment: Environment, { timeout, keep = Infinity }: HelperUse = {}): AskHelper => {
  const known = new WeakMap<AuthFile, Map<string, { answer: Promise<Credential | undefined>; until: number }>>()
  return (file, { helper: name, configuredBy }, server) => {
    const limit = timeout === undefined ? {} : { timeout }
    const helper = credentialHelper(name, { environment, configuredBy, ...limit })
    const answers = known.get(file) ?? new Map()
    known.set(file, answers)
    const question = `${name} ${server}`
    const before = answers.get(question)
    if (before !== undefined && performance.now() < before.until) return before.answer
    // Kept before it is there: those who ask meanwhile wait for the same program.
    const answer = helper.get(server)
    answers.set(question, { answer, until: performance.now() + keep })
    answer.catch(() => answers.delete(question))
    return answer
  }
}
