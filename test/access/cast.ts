import type { Rule } from '../../packages/registry/src/accounts/accounts.ts'
import { always, createCasting, type Casting, password, some, type Staff } from './casting.ts'
import { basic, type Credential, type Login, scopes, transports } from './credentials.ts'
import { bringDeparted, bringEnded, bringImpostors } from './departed.ts'

/** Those who may do something. */
const valid = ['reader', 'creator', 'writer', 'deleter', 'administrator', 'other-tenant'] as const
type Valid = (typeof valid)[number]

const groupOf: Readonly<Partial<Record<Valid, string>>> = { reader: 'readers', writer: 'writers', deleter: 'deleters' }

/** Those of whose rights enough is left to see what is taken from them. */
const narrowable: readonly Valid[] = ['creator', 'deleter', 'administrator']

const everything = ['pull', 'push', 'overwrite', 'delete'] as const

/** What a rule or an issuer says of those whom no group and no flag makes what they are. */
const permissionOf: Readonly<Record<Valid, Pick<Rule, 'repositories' | 'actions'>>> = {
  reader: { repositories: 'acme/*', actions: ['pull'] },
  creator: { repositories: 'acme/*', actions: ['pull', 'push'] },
  writer: { repositories: 'acme/*', actions: ['pull', 'push', 'overwrite'] },
  deleter: { repositories: 'acme/*', actions: everything },
  administrator: { repositories: '*', actions: ['administer'] },
  'other-tenant': { repositories: 'globex/*', actions: everything },
}

/** Rules of the configuration; those of the store are added when everybody enters. */
export const configuredRules: readonly Omit<Rule, 'id'>[] = [
  { subject: { kind: 'anonymous' }, repositories: 'public/*', actions: ['pull'] },
  { subject: { kind: 'authenticated' }, repositories: 'internal/*', actions: ['pull'] },
  { subject: { kind: 'group', name: 'readers' }, ...permissionOf.reader },
]

/** Each in a network of its own: who guesses is slowed down there. */
export const addressOf = (number: number): string => `${10 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.1`

/**
 * Lets everybody in, lets each do what can only be done while they may, and takes away what is to be taken away. Everybody
 * may begin an upload anywhere at first: so uploads are there that later nobody may touch.
 */
export const enter = async (staff: Staff): Promise<readonly Credential[]> => {
  const { accounts } = staff
  const casting = createCasting(staff)
  const wide = await accounts.addRule({
    subject: { kind: 'anonymous' },
    repositories: '*',
    actions: ['pull', 'push'],
  })
  await accounts.addRule({ subject: { kind: 'group', name: 'writers' }, ...permissionOf.writer })
  await accounts.addRule({ subject: { kind: 'group', name: 'deleters' }, ...permissionOf.deleter })
  for (const kind of ['creator', 'other-tenant'] as const) {
    await accounts.addRule({ subject: { kind: 'user', name: kind }, ...permissionOf[kind] })
  }
  for (const kind of valid) {
    await accounts.addRule({ subject: { kind: 'user', name: `h-${kind}` }, ...permissionOf[kind] })
  }
  // Time passes once for all, and first: what everybody else holds is to last.
  await bringEnded(casting, staff)
  await bringStrangers(casting, staff)
  for (const kind of valid) {
    if (!staff.wants(kind)) continue
    await bringUser(casting, staff, kind)
    await bringOthers(casting, staff, kind)
  }
  const later = await bringDeparted(casting, staff, permissionOf.deleter)
  if (staff.wants('anonymous')) await bringImpostors(casting, staff)
  await accounts.removeRule(wide.id ?? 0)
  // Everybody is known to the registry when it happens.
  for (const credential of casting.credentials) await staff.greet(credential)
  for (const happens of later) await happens()
  // What is revoked is revoked at the next request: nobody had a second to hear of it.
  staff.stopTheClock()
  const { credentials } = casting
  // Time passes with the guesses, so that they come when nobody needs a token any more.
  return [...credentials.filter((one) => one.guess !== true), ...credentials.filter((one) => one.guess === true)]
}

const bringStrangers = async ({ add, addPlain, bearer }: Casting, { beginUploads }: Staff): Promise<void> => {
  await beginUploads({ actor: 'anonymous', authorization: always(undefined) })
  addPlain('anonymous', 'nothing', transports.none, 'anonymous', undefined, { thorough: true })
  add('anonymous', 'Bearer', transports.bearer, 'anonymous', bearer(scopes.full, undefined))
  const nothing = bearer(scopes.nothing, undefined)
  add('anonymous', 'Bearer without scopes', transports.bearerNothing, 'anonymous', nothing, some)
}

/** A user of the store, with all the ways to log in as one. */
const bringUser = async (casting: Casting, staff: Staff, kind: Valid): Promise<void> => {
  const { add, addPlain, bearer, personal } = casting
  const group = groupOf[kind]
  const login = await casting.user(kind, group === undefined ? [] : [group], kind === 'administrator')
  await staff.beginUploads({ actor: kind, authorization: always(login) })
  addPlain(kind, 'password', transports.plain, kind, login, { thorough: true })
  add(kind, 'Bearer', transports.bearer, kind, bearer(scopes.full, login))
  add(kind, 'Bearer for here only', transports.bearerHereOnly, kind, bearer(scopes.hereOnly, login), some)
  const whole = await personal(kind)
  addPlain(kind, 'token as password', transports.plain, kind, whole.login, some)
  if (kind === 'reader') {
    // Got while everybody might push: it says more than what is allowed later.
    await casting.fetch(add(kind, 'Bearer from before', transports.bearer, kind, bearer(scopes.full, login), some))
  }
  if (!narrowable.includes(kind)) return
  add(kind, 'Bearer to pull', transports.bearerPull, kind, bearer(scopes.pull, login), some)
  add(kind, 'Bearer for elsewhere', transports.bearerElsewhere, kind, bearer(scopes.elsewhere, login), some)
  add(kind, 'Bearer without scopes', transports.bearerNothing, kind, bearer(scopes.nothing, login), some)
  add(kind, 'Bearer by token', transports.bearer, kind, bearer(scopes.full, whole.login), some)
  const refresh: Login = { form: async () => casting.refresh(kind) }
  add(kind, 'Bearer by refresh', transports.bearer, kind, bearer(scopes.full, refresh), { ...some, login: refresh })
  add(kind, 'Bearer to push', transports.bearerPush, kind, bearer(scopes.push, login), some)
  const pulls = await personal(kind, { permissions: [{ repositories: '*', actions: ['pull'] }] })
  addPlain(kind, 'token to pull', transports.pullToken, kind, pulls.login, some)
  add(kind, 'Bearer by token to pull', transports.pullTokenBearer, kind, bearer(scopes.full, pulls.login), some)
  const pushes = await personal(kind, { permissions: [{ repositories: '*', actions: ['pull', 'push'] }] })
  addPlain(kind, 'token to push', transports.pushToken, kind, pushes.login, some)
  const narrow = bearer(scopes.pull, pushes.login)
  add(kind, 'Bearer to pull by token to push', transports.pushTokenBearerPull, kind, narrow, some)
  const blind = await personal(kind, { permissions: [{ repositories: '*', actions: ['push'] }] })
  addPlain(kind, 'token without pull', transports.blindToken, kind, blind.login, some)
  const foreign = await personal(kind, { permissions: [{ repositories: 'elsewhere/*', actions: ['administer'] }] })
  addPlain(kind, 'token for elsewhere', transports.foreignToken, kind, foreign.login, some)
  const byForeign = bearer(scopes.full, foreign.login)
  add(kind, 'Bearer by token for elsewhere', transports.foreignTokenBearer, kind, byForeign, some)
}

/** The same rights for a user of the htpasswd file, and for a job of a CI system. */
const bringOthers = async (casting: Casting, staff: Staff, kind: Valid): Promise<void> => {
  const { add, addPlain, bearer, idToken } = casting
  const wanted = (...labels: string[]): boolean => labels.some((label) => staff.wants(kind, label))
  if (wanted('password of the file', 'Bearer by the file', 'in the file')) {
    const inFile = basic(`h-${kind}`, password)
    await staff.beginUploads({ actor: `h-${kind}`, authorization: always(inFile) })
    addPlain(kind, 'password of the file', transports.plain, `h-${kind}`, inFile, some)
    add(kind, 'Bearer by the file', transports.bearer, `h-${kind}`, bearer(scopes.full, inFile), some)
  }
  if (!wanted('ID token as password', 'Bearer by ID token', 'as a job')) return
  await staff.accounts.addIssuer({
    name: `ci-${kind}`,
    issuer: staff.issuer.url,
    audience: 'stowage',
    conditions: { role: kind },
    permissions: [permissionOf[kind]],
  })
  const workload = `ci-${kind}:job-of-${kind}`
  const login = basic('anybody', idToken(kind))
  await staff.beginUploads({ actor: workload, authorization: always(login) })
  addPlain(kind, 'ID token as password', transports.plain, workload, login, some)
  const exchange: Login = {
    form: async () => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: idToken(kind),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    }),
  }
  const bought = bearer(scopes.full, exchange)
  add(kind, 'Bearer by ID token', transports.bearer, workload, bought, { ...some, login: exchange })
}
