import { describeSource, type Source } from '../config/resolve.ts'
import type { SettingKey } from '../config/settings.ts'
import { configurationError, StowageError } from '../failure.ts'

/** Adds to each problem of a setting where that setting came from. */
export const withSources = async <T>(sources: ReadonlyMap<SettingKey, Source>, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StowageError) || error.failure !== 'configuration' || error.problems.length === 0)
      throw error
    throw configurationError(
      error.problems.map((problem) => {
        const source = problem.key === undefined ? undefined : sources.get(problem.key)
        if (problem.where !== undefined || source === undefined || source.kind === 'default') return problem
        return { ...problem, where: describeSource(source) }
      }),
    )
  }
}
