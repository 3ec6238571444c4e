import { z } from 'zod'
import { parseDuration } from './duration.ts'
import { field, item, word } from './list-items.ts'
import { isRepositoryGlob, isTagGlob } from './names.ts'
import type { RetentionItem } from './setting.ts'

/** A rule of `retention.rules`, as it may be written. */

const duration = field('a duration such as 12h or 30d, more than 0', (given) => {
  const seconds = typeof given === 'number' || typeof given === 'string' ? parseDuration(String(given)) : undefined
  return seconds === undefined || seconds === 0 ? undefined : seconds
})

const newest = field('a whole number of 1 or more', (given) =>
  typeof given === 'number' && Number.isSafeInteger(given) && given > 0 ? given : undefined,
)

const matching = field('one or more globs of tags such as v*, or semver', (given) => {
  const globs: unknown = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given
  if (!Array.isArray(globs) || globs.length === 0 || globs.length > 100) return undefined
  return globs.every((glob): glob is string => typeof glob === 'string' && isTagGlob(glob)) ? globs : undefined
})

const conditions = {
  newest: newest.exactOptional(),
  youngerThan: duration.exactOptional(),
  pulledWithin: duration.exactOptional(),
  matching: matching.exactOptional(),
}

const untagged = field('yes or no', (given) => (typeof given === 'boolean' ? given : words.get(given)))

const words: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ['yes', true],
  ['no', false],
  ['true', true],
  ['false', false],
])

export const retentionRule: z.ZodType<RetentionItem> = item({
  repositories: word('a repository or a glob such as team/* or *', isRepositoryGlob),
  keep: item(conditions)
    // No condition is one that no tag meets: every tag would go.
    .refine((keep) => Object.keys(keep).length > 0, {
      error: `must have one or more of ${Object.keys(conditions).join(', ')}`,
      // A name that was misspelt is the mistake then.
      when: ({ issues }) => issues.length === 0,
    })
    .exactOptional(),
  untagged: untagged.exactOptional(),
})
