import type { Problem } from './result.ts'

/** Beyond this many problems the rest is only counted: an input of megabytes can have one in every line. */
const mostListed = 1000

/** Collects what is wrong with one input while it is read. */
export interface Findings {
  add(path: string, message: string): void
  readonly any: boolean
  list(): readonly Problem[]
  /** How the whole number at this path was written, where it was not plain digits. */
  readonly oddIntegers: Map<string, string>
}

export const createFindings = (): Findings => {
  const problems: Problem[] = []
  let unlisted = 0
  return {
    add(path, message) {
      if (problems.length < mostListed) problems.push({ path, message })
      else unlisted++
    },
    get any() {
      return problems.length > 0
    },
    list: () =>
      unlisted === 0 ? problems : [...problems, { path: '', message: `has ${unlisted} further problems, not listed` }],
    oddIntegers: new Map(),
  }
}
