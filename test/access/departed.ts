import type { Rule } from '../../packages/registry/src/accounts/accounts.ts'
import { always, type Casting, guess, password, some, type Staff } from './casting.ts'
import { basic, type Login, scopes, transports } from './credentials.ts'
import { writeHtpasswd } from './htpasswd.ts'
import type { PrincipalKind } from './policy-model.ts'

const minute = 60_000
const day = 24 * 60 * minute
const { refused } = transports

/** What ends by itself. */
export const bringEnded = async (casting: Casting, staff: Staff): Promise<void> => {
  const { add, addPlain, bearer, fetch } = casting
  if (staff.wants('expired')) {
    const ended = await casting.user('ended')
    await staff.beginUploads({ actor: 'ended', authorization: always(ended) })
    await fetch(add('expired', 'Bearer', refused, 'ended', bearer(scopes.full, ended), { thorough: true }))
    const form = await casting.refresh('ended')
    const refresh: Login = { form: async () => form }
    const refreshed = bearer(scopes.full, refresh)
    await fetch(add('expired', 'Bearer by refresh', refused, 'ended', refreshed, { ...some, login: refresh }))
    const endedId = basic('anybody', casting.idToken('deleter'))
    staff.pass(91 * day)
    await casting.user('short')
    const short = await casting.personal('short', { expiresIn: 60 })
    await staff.beginUploads({ actor: 'short', authorization: always(short.login) })
    addPlain('expired', 'token as password', refused, 'short', short.login)
    // Good for longer than what it was got with.
    await fetch(add('expired', 'Bearer by token', refused, 'short', bearer(scopes.full, short.login), some))
    staff.pass(5 * minute)
    addPlain('expired', 'ID token as password', refused, 'short', endedId, some)
  }
  if (staff.wants('revoked', 'Bearer of a revoked key')) {
    // They take along all that they signed.
    const old = await casting.user('signed-of-old')
    await staff.beginUploads({ actor: 'signed-of-old', authorization: always(old) })
    await fetch(add('revoked', 'Bearer of a revoked key', refused, 'signed-of-old', bearer(scopes.full, old), some))
    await staff.accounts.rotateKeys({ revoke: true })
  }
}

type Way = 'password' | 'Bearer' | 'token as password' | 'Bearer by token' | 'Bearer by refresh'

interface Fate {
  readonly principal: PrincipalKind
  readonly name: string
  readonly what: string
  readonly ways: readonly Way[]
  readonly thorough?: true
  /** When the user was added. */
  readonly at?: number
  readonly happens: (staff: Staff, casting: Casting, token: string) => Promise<unknown>
}

const everyWay = ['password', 'Bearer', 'token as password', 'Bearer by token', 'Bearer by refresh'] as const
const birthday = Date.UTC(2026, 0, 1)

/** What becomes of whom. All are deleters, and have tokens of every sort. */
const fates: readonly Fate[] = [
  {
    principal: 'revoked',
    name: 'removed',
    what: 'user removed',
    ways: everyWay,
    thorough: true,
    happens: async ({ accounts }) => accounts.removeUser('removed'),
  },
  {
    principal: 'revoked',
    name: 'again',
    what: 'another user now',
    ways: ['Bearer', 'token as password', 'Bearer by token'],
    at: birthday,
    // At the same time, as far as anybody can see.
    happens: async ({ accounts, at }, casting) => {
      await accounts.removeUser('again')
      await at(birthday, async () => casting.user('again'))
    },
  },
  {
    principal: 'revoked',
    name: 'changed',
    what: 'password changed',
    ways: ['password', 'Bearer', 'Bearer by refresh'],
    happens: async ({ accounts }) => accounts.setPassword('changed', 'quite another password'),
  },
  {
    principal: 'revoked',
    name: 'token-gone',
    what: 'token removed',
    ways: ['token as password', 'Bearer by token'],
    happens: async ({ accounts }, _, token) => accounts.removeToken(token),
  },
  {
    principal: 'disabled',
    name: 'stopped',
    what: 'user disabled',
    ways: everyWay,
    thorough: true,
    happens: async ({ accounts }) => accounts.changeUser('stopped', { disabled: true }),
  },
]

/** What happens later to those who came in. */
export type Later = () => Promise<unknown>

/** Those who will lose what they have: they begin uploads and get tokens of every sort. */
export const bringDeparted = async (
  casting: Casting,
  staff: Staff,
  permission: Pick<Rule, 'repositories' | 'actions'>,
): Promise<readonly Later[]> => {
  const later: Later[] = []
  for (const fate of fates) {
    const { principal, ways, what, happens } = fate
    if (!ways.some((way) => staff.wants(principal, `${way}, ${what}`))) continue
    const token = await bringOne(casting, staff, fate)
    later.push(async () => happens(staff, casting, token))
  }
  if (leaving.some((label) => staff.wants('revoked', label))) later.push(...(await bringLeaver(casting, staff)))
  for (const [name, what] of inTheFile) {
    if (!staff.wants('revoked', `Bearer by the file, ${what}`)) continue
    later.push(...(await bringOneOfTheFile(casting, staff, permission, name, what)))
  }
  if (staff.wants('revoked', 'Bearer, issuer removed')) later.push(...(await bringJob(casting, staff, permission)))
  return later
}

const bringOne = async (casting: Casting, staff: Staff, fate: Fate): Promise<string> => {
  const { add, addPlain, bearer, fetch } = casting
  const { principal, name, what, ways, thorough } = fate
  const born = async (): Promise<string> => casting.user(name)
  const login = await (fate.at === undefined ? born() : staff.at(fate.at, born))
  await staff.beginUploads({ actor: name, authorization: always(login) })
  const made = await casting.personal(name)
  for (const way of ways) {
    const label = `${way}, ${what}`
    switch (way) {
      case 'password':
        addPlain(principal, label, refused, name, login, guess)
        break
      case 'Bearer': {
        const more = thorough === true ? ({ thorough } as const) : some
        await fetch(add(principal, label, refused, name, bearer(scopes.full, login), more))
        break
      }
      case 'token as password':
        addPlain(principal, label, refused, name, made.login, thorough === true ? {} : some)
        break
      case 'Bearer by token':
        await fetch(add(principal, label, refused, name, bearer(scopes.full, made.login), some))
        break
      case 'Bearer by refresh': {
        const form = await casting.refresh(name)
        const refresh: Login = { form: async () => form }
        await fetch(add(principal, label, refused, name, bearer(scopes.full, refresh), { ...some, login: refresh }))
      }
    }
  }
  return made.id
}

const leaving = ['password', 'Bearer', 'token as password'].map((way) => `${way}, left the group`)

/** Who left a group is still somebody, and may do what everybody may. */
const bringLeaver = async (casting: Casting, staff: Staff): Promise<readonly Later[]> => {
  const { add, addPlain, bearer, fetch } = casting
  const login = await casting.user('left')
  await staff.beginUploads({ actor: 'left', authorization: always(login) })
  const token = await casting.personal('left')
  addPlain('revoked', 'password, left the group', transports.plain, 'left', login, some)
  await fetch(add('revoked', 'Bearer, left the group', transports.bearer, 'left', bearer(scopes.full, login), some))
  addPlain('revoked', 'token as password, left the group', transports.plain, 'left', token.login, some)
  return [async () => staff.accounts.changeUser('left', { groups: [] })]
}

const inTheFile = [
  ['h-gone', 'gone from the file'],
  ['h-shadowed', 'a user of the store now'],
] as const

const bringOneOfTheFile = async (
  { add, addPlain, bearer, fetch }: Casting,
  { accounts, htpasswd, beginUploads, pass }: Staff,
  permission: Pick<Rule, 'repositories' | 'actions'>,
  name: (typeof inTheFile)[number][0],
  what: string,
): Promise<readonly Later[]> => {
  const login = basic(name, password)
  await accounts.addRule({ subject: { kind: 'user', name }, ...permission })
  await beginUploads({ actor: name, authorization: always(login) })
  addPlain('revoked', `password of the file, ${what}`, refused, name, login, guess)
  await fetch(add('revoked', `Bearer by the file, ${what}`, refused, name, bearer(scopes.full, login), some))
  if (name === 'h-shadowed') return [async () => accounts.addUser({ name, password: 'quite another password' })]
  return [
    async () => {
      await writeHtpasswd(htpasswd, ['h-shadowed'])
      // It is looked at once a second.
      pass(5000)
    },
  ]
}

const bringJob = async (
  casting: Casting,
  { accounts, issuer, beginUploads }: Staff,
  permission: Pick<Rule, 'repositories' | 'actions'>,
): Promise<readonly Later[]> => {
  const { add, addPlain, bearer, fetch } = casting
  await accounts.addIssuer({
    name: 'ci-gone',
    issuer: issuer.url,
    audience: 'stowage',
    conditions: { role: 'gone' },
    permissions: [permission],
  })
  const workload = 'ci-gone:job-of-gone'
  const login = basic('anybody', casting.idToken('gone'))
  await beginUploads({ actor: workload, authorization: always(login) })
  addPlain('revoked', 'ID token, issuer removed', refused, workload, login, some)
  await fetch(add('revoked', 'Bearer, issuer removed', refused, workload, bearer(scopes.full, login), some))
  return [async () => accounts.removeIssuer('ci-gone')]
}

/** What was never good. */
export const bringImpostors = async (casting: Casting, staff: Staff): Promise<void> => {
  const { add, addPlain, personal } = casting
  const wrong = (label: string, actor: string, authorization: string, more = some): void =>
    void addPlain('anonymous', label, refused, actor, authorization, more)
  if (!staff.wants('deleter')) return
  wrong('wrong password', 'deleter', basic('deleter', 'incorrect horse battery'), guess)
  wrong('nobody’s name', 'deleter', basic('nobody', password), guess)
  wrong('wrong password of the file', 'h-deleter', basic('h-deleter', 'incorrect horse battery'), guess)
  wrong('no such token', 'deleter', basic('deleter', `stwp_${'a'.repeat(16)}_${'A'.repeat(43)}`))
  const mine = await personal('deleter')
  wrong('the id of a token', 'deleter', basic('deleter', `${mine.secret.slice(0, 22)}${'A'.repeat(43)}`))
  wrong('the token of another user', 'writer', basic('writer', mine.secret))
  const { refresh_token: refresh = '' } = await casting.refresh('deleter')
  wrong('a refresh token as password', 'deleter', basic('deleter', refresh))
  wrong('a refresh token in disguise', 'deleter', basic('deleter', `stwp${refresh.slice(4)}`))
  const workload = 'ci-deleter:job-of-deleter'
  wrong('an ID token for somebody else', workload, basic('x', casting.idToken('deleter', { audience: 'another' })))
  wrong('an ID token of a job that is not trusted', workload, basic('x', casting.idToken('stranger')))
  const bearer = (label: string, actor: string, text: string): void =>
    void add('anonymous', label, refused, actor, always(`Bearer ${text}`), some)
  bearer('a personal token as a Bearer token', 'deleter', mine.secret)
  bearer('an ID token as a Bearer token', workload, casting.idToken('deleter'))
  bearer('nonsense as a Bearer token', 'deleter', 'nonsense')
  const { token } = await staff.token({ authorization: mine.login }, scopes.full('acme/app'))
  bearer('a Bearer token with another signature', 'deleter', `${token.slice(0, -4)}AAAA`)
  add('anonymous', 'another scheme', refused, 'deleter', always('Digest username="deleter"'), some)
}
