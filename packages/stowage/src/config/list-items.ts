import { z } from 'zod'
import { escapeControls, show } from './show.ts'
import { nearest } from './suggest.ts'

/** A value within an item: what `read` makes of it, or an error that says what is wanted. */
export const field = <T>(wanted: string, read: (given: unknown) => T | undefined): z.ZodType<T> =>
  z.unknown().transform((given, context) => {
    const value = read(given)
    if (value !== undefined) return value
    const but = given === undefined ? 'is missing: it ' : ''
    context.addIssue({
      code: 'custom',
      message: `${but}must be ${wanted}${given === undefined ? '' : `, not ${show(given)}`}`,
    })
    return z.NEVER
  })

/** Text that fits. */
export const word = (wanted: string, fits: (text: string) => boolean): z.ZodType<string> =>
  field(wanted, (given) => (typeof given === 'string' && fits(given) ? given : undefined))

/** An object with these keys and no others. */
export const item = <S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> => {
  const names = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys')
        return `must be an item with ${names.join(', ')}, not ${show(issue.input)}`
      const [key = ''] = issue.keys
      const guess = nearest(key, names)
      return `has no key ${escapeControls(show(key))}; ${guess === undefined ? `there are ${names.join(', ')}` : `did you mean ${guess}?`}`
    },
  })
}

/** @param separated Whether text without a bracket is words with commas between them. */
export const list = <T>(items: z.ZodType<T>, wanted: string, { separated, most }: { separated?: true; most: number }) =>
  z
    .unknown()
    .transform((given, context) => {
      if (typeof given !== 'string') return given
      if (separated === true && !given.trimStart().startsWith('[')) return given.split(',').map((part) => part.trim())
      try {
        return JSON.parse(given) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: `must be JSON, ${wanted}` })
        return z.NEVER
      }
    })
    .pipe(z.array(items, { error: `must be ${wanted}` }).max(most, { error: `has more than ${most} items` }))
