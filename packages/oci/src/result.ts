/** One thing that is wrong with an input. */
export interface Problem {
  /** Where: `layers[2].digest`, `annotations["org.example.a"]`; empty for the input as a whole. */
  readonly path: string
  /** What is wrong, and what would be right. */
  readonly message: string
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Thrown by every `parseX`. The message lists every problem with its path; `problems` has them one by one. */
export class ParseError extends Error {
  override readonly name = 'ParseError'
  readonly problems: readonly Problem[]

  /** `what` names the input, as in `manifest`. */
  constructor(what: string, problems: readonly Problem[]) {
    super(describe(what, problems))
    this.problems = problems
  }
}

const describe = (what: string, problems: readonly Problem[]): string => {
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return lines.length === 1 ? `Invalid ${what}: ${lines[0]}` : `Invalid ${what}:\n- ${lines.join('\n- ')}`
}

/** The value of a result, or its problems thrown. */
export const unwrap = <T>(what: string, result: Result<T>): T => {
  if (result.ok) return result.value
  throw new ParseError(what, result.problems)
}

export const success = <T>(value: T): Result<T> => ({ ok: true, value })

export const failure = (message: string, path = ''): { ok: false; problems: readonly Problem[] } => ({
  ok: false,
  problems: [{ path, message }],
})
