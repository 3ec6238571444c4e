import { z } from 'zod'
import { isNetwork, isRepositoryGlob, isUserName, parseSubject, parseTagGlob } from './names.ts'
import { actions, type KindValues, type QuotaItem } from './setting.ts'
import { escapeControls, show } from './show.ts'
import { parseSize } from './size.ts'
import { nearest } from './suggest.ts'
import { isSecureEndpoint } from './urls.ts'

/**
 * Lists of items, each checked where it stands: a key that an item does not have is an error that names it. Text, as the
 * environment and the command line have it, is JSON; where the items are words, they may also be separated by commas.
 */
export type ListKind = 'rules' | 'issuers' | 'tags' | 'quotas' | 'networks'

/** A value within an item: what `read` makes of it, or an error that says what is wanted. */
const field = <T>(wanted: string, read: (given: unknown) => T | undefined): z.ZodType<T> =>
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

const word = (wanted: string, fits: (text: string) => boolean): z.ZodType<string> =>
  field(wanted, (given) => (typeof given === 'string' && fits(given) ? given : undefined))

/** An object with these keys and no others. */
const item = <S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> => {
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
const list = <T>(items: z.ZodType<T>, wanted: string, { separated, most }: { separated?: true; most: number }) =>
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

const repositories = word('a repository or a glob such as team/* or *', isRepositoryGlob)

/** In the registry's order, each once. */
const actionList = field(`one or more of ${actions.join(', ')}`, (given) => {
  const words: unknown = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given
  if (!Array.isArray(words) || words.length === 0) return undefined
  const known = actions.filter((action) => words.includes(action))
  return words.every((each) => known.includes(each as (typeof known)[number])) ? known : undefined
})

const permission = item({ repositories, actions: actionList })

const printable = (text: string): boolean => /^[ -~]{1,512}$/.test(text) && text.trim() !== ''

/** Every token of an issuer has them alike, or they are looked at anyway. */
const claimsOfAll = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'])

const conditions = field(
  'claims that only your own jobs have, each with the glob that its value has to match, as in { repository: acme/app }',
  (given) => {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined
    const entries = Object.entries(given).map(([claim, value]) => [claim, String(value)] as const)
    const fit = entries.every(([claim, glob]) => printable(claim) && printable(glob) && !claimsOfAll.has(claim))
    // `*` everywhere would let in everybody who uses the same issuer.
    const tells = entries.length <= 20 && entries.some(([, glob]) => !/^\*+$/.test(glob))
    return fit && tells ? Object.fromEntries(entries) : undefined
  },
)

const bytes = field('a size such as 512MiB or 10GiB', (given) =>
  typeof given === 'number' || typeof given === 'string' ? parseSize(String(given)) : undefined,
)

const rule = item({
  subject: word('user:NAME, group:NAME, authenticated or anonymous', (text) => parseSubject(text) !== undefined),
  repositories,
  actions: actionList,
})

const issuer = item({
  name: word(
    'a name of lower-case letters, digits and hyphens (and not token)',
    (text) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) && text !== 'token',
  ),
  issuer: word('an https URL without a query', (text) => isSecureEndpoint(text) && !text.includes('?')),
  audience: word('text of printable characters', printable),
  jwksUri: word('an https URL', isSecureEndpoint).exactOptional(),
  conditions,
  permissions: z
    .array(permission, { error: 'must be a list of { repositories, actions }' })
    .min(1, { error: 'must have at least one item' }),
})

const ofRepositories = item({ repositories, bytes })
const ofUser = item({ user: word('the name of a user, or *', (text) => text === '*' || isUserName(text)), bytes })

/** Not a union, whose errors would be about both. */
const quota = z.unknown().transform((given, context): QuotaItem => {
  const isOfUser = typeof given === 'object' && given !== null && 'user' in given
  const result = (isOfUser ? ofUser : ofRepositories).safeParse(given)
  if (result.success) return result.data
  for (const { message, path } of result.error.issues) context.addIssue({ code: 'custom', message, path })
  return z.NEVER
})

const lists: { readonly [K in ListKind]: z.ZodType<KindValues[K]> } = {
  rules: list(rule, 'a list of { subject, repositories, actions }', { most: 10_000 }),
  issuers: list(issuer, 'a list of { name, issuer, audience, conditions, permissions }', { most: 100 }).refine(
    (issuers) => new Set(issuers.map(({ name }) => name)).size === issuers.length,
    { error: 'has two issuers of one name' },
  ),
  tags: list(
    word('repositories:tags, both globs, as in team/*:v*', (text) => parseTagGlob(text) !== undefined),
    'a list of repositories:tags, both globs, as in team/*:v*',
    { separated: true, most: 1000 },
  ),
  quotas: list(quota, 'a list of { repositories, bytes } or { user, bytes }', { most: 1000 }),
  networks: list(
    word('an address or a network such as 10.0.0.0/8', isNetwork),
    'a list of addresses and networks such as 10.0.0.0/8',
    { separated: true, most: 1000 },
  ),
}

export const isListKind = (kind: string): kind is ListKind => Object.hasOwn(lists, kind)

export const listSchema = (kind: ListKind): z.ZodType => lists[kind]
