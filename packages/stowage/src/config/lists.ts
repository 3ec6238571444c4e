import { z } from 'zod'
import { field, item, list, word } from './list-items.ts'
import { isNetwork, isRepositoryGlob, isUserName, parseSubject, parseTagGlob } from './names.ts'
import { actions, type KindValues, type QuotaItem } from './setting.ts'
import { retentionRule } from './retention-rule.ts'
import { parseSize } from './size.ts'
import { isSecureEndpoint } from './urls.ts'

/**
 * Lists of items, each checked where it stands: a key that an item does not have is an error that names it. Text, as the
 * environment and the command line have it, is JSON; where the items are words, they may also be separated by commas.
 */
export type ListKind = 'rules' | 'issuers' | 'tags' | 'quotas' | 'networks' | 'retention'

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
  retention: list(retentionRule, 'a list of { repositories, keep, untagged }', { most: 1000 }),
}

export const isListKind = (kind: string): kind is ListKind => Object.hasOwn(lists, kind)

export const listSchema = (kind: ListKind): z.ZodType => lists[kind]
