import type { Edit } from './mutant.ts'
import type { PolicyKind } from './policy-model.ts'

/** One rule of the server dropped, wherever it stands, and who meets it. */
export interface Mutation {
  /** What is no longer so. */
  readonly rule: string
  readonly edits: readonly Edit[]
  /** Those of the matrix in whose verdicts it shows: `reader (password)`. `(there)`, `(in the file)`, `(as a job)`: not asked, but there. */
  readonly cast: readonly string[]
  readonly policy?: PolicyKind
  /** What decides is the host: see `host.ts`. */
  readonly host?: true
}

/** Most rules stand in one place. */
export const dropped = (
  rule: string,
  file: string,
  find: string,
  replace: string,
  cast: readonly string[],
  policy?: PolicyKind,
): Mutation => ({ rule, edits: [{ file, find, replace }], cast, ...(policy !== undefined && { policy }) })
