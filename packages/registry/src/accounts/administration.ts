import { randomUUID } from 'node:crypto'
import type { Rule } from '../access/rules.ts'
import type { AccountStore, IssuerRow, TokenRow, UserChange, UserRow } from '../metadata/account-store.ts'
import { AccountError } from './account-error.ts'
import type { Accounts, Issuer, PersonalToken, User } from './accounts.ts'
import {
  checkActions,
  checkGroups,
  checkLabel,
  checkLife,
  checkPassword,
  checkPermissions,
  checkRepositories,
  checkSubject,
  checkUserName,
} from './checks.ts'
import type { Directory } from './directory.ts'
import type { Explain } from './explain.ts'
import type { Passwords } from './passwords/hash-queue.ts'
import type { KeyRing } from './tokens/key-ring.ts'
import { makeToken } from './tokens/personal.ts'
import { issuerProblems } from './workloads/issuer-problems.ts'

export interface AdministrationOptions {
  readonly store: AccountStore
  readonly directory: Directory
  readonly passwords: Passwords
  readonly keys: KeyRing
  readonly explain: Explain
  /** Of the configuration: shown in lists. */
  readonly configured: { readonly rules: readonly Rule[]; readonly issuers: readonly IssuerRow[] }
  readonly now: () => number
}

export const createAdministration = (options: AdministrationOptions): Accounts => {
  const { store, directory, passwords, keys, explain, configured, now } = options

  /** What was changed holds from the next request on. */
  const changed = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work
    } finally {
      directory.forget()
    }
  }

  const change = async (name: string, values: UserChange): Promise<User> => {
    const user = await changed(store.changeUser(name, values))
    if (user === undefined) throw unknown('user', name)
    return asUser(user)
  }

  return {
    addUser: async ({ name, password, administrator = false, groups = [] }) => {
      checkUserName(name)
      const list = checkGroups(groups)
      const hash = password === undefined ? undefined : await passwords.hash(checkPassword(password))
      const at = now()
      const user: UserRow = {
        id: randomUUID(),
        name,
        administrator,
        groups: list,
        createdAt: at,
        passwordChangedAt: at,
        ...(hash !== undefined && { passwordHash: hash }),
      }
      if ((await changed(store.addUser(user, false))) !== 'added') {
        throw new AccountError('exists', `There is a user ${name} already.`, 'name')
      }
      return asUser(user)
    },
    setPassword: async (name, password) => {
      checkUserName(name)
      const passwordHash = await passwords.hash(checkPassword(password))
      return change(name, { passwordHash, passwordChangedAt: now() })
    },
    changeUser: async (name, { administrator, groups, disabled }) => {
      checkUserName(name)
      return change(name, {
        ...(administrator !== undefined && { administrator }),
        ...(groups !== undefined && { groups: checkGroups(groups) }),
        ...(disabled !== undefined && { disabledAt: disabled ? now() : null }),
      })
    },
    removeUser: async (name) => {
      checkUserName(name)
      if (!(await changed(store.removeUser(name)))) throw unknown('user', name)
    },
    listUsers: async (page = {}) => (await store.listUsers(checkPage(page))).map(asUser),

    addToken: async ({ user: name, label, permissions, expiresIn }) => {
      checkUserName(name, 'user')
      const user = await store.findUser(name)
      if (user === undefined) throw unknown('user', name)
      const { id, secretHash, text } = makeToken('personal')
      const at = now()
      const token: TokenRow = {
        id,
        kind: 'personal',
        userId: user.id,
        user: user.name,
        label: checkLabel(label),
        secretHash,
        createdAt: at,
        ...(permissions !== undefined && { permissions: checkPermissions(permissions, 'permissions') }),
        ...(expiresIn !== undefined && { expiresAt: at + checkLife(expiresIn) * 1000 }),
      }
      if ((await changed(store.addToken(token))) === 'user-unknown') throw unknown('user', name)
      return { token: asToken(token), secret: text }
    },
    listTokens: async (page = {}) => {
      const { user, kind = 'personal' } = page
      if (!kinds.includes(kind)) throw new AccountError('invalid', 'A token is `personal` or `refresh`.', 'kind')
      if (user !== undefined) checkUserName(user, 'user')
      const tokens = await store.listTokens({
        ...checkPage(page),
        kind,
        ...(user !== undefined && { user }),
      })
      return tokens.map(asToken)
    },
    removeToken: async (id) => {
      // Not repeated: it may be a whole token that was given for its id.
      if (!(await changed(store.removeToken(id)))) throw new AccountError('unknown', 'There is no token with this id.')
    },

    addRule: async ({ subject, repositories, actions }) => {
      const rule = {
        subject: checkSubject(subject),
        repositories: checkRepositories(repositories, 'repositories'),
        actions: checkActions(actions, 'actions'),
        createdAt: now(),
      }
      const added = await changed(store.addRule(rule))
      if (added === false) throw new AccountError('exists', 'There is such a rule already.')
      return asRule(added)
    },
    listRules: async () => [...configured.rules, ...(await store.listRules()).map(asRule)],
    removeRule: async (id) => {
      if (!Number.isSafeInteger(id)) throw new AccountError('invalid', 'The id of a rule is a number.', 'id')
      if (!(await changed(store.removeRule(id)))) throw unknown('rule', String(id))
    },

    addIssuer: async (issuer) => {
      const [problem] = issuerProblems(issuer)
      if (problem !== undefined) throw new AccountError('invalid', problem.message, problem.field)
      const row: IssuerRow = issuerRow(issuer, now())
      if (configured.issuers.some(({ name }) => name === row.name) || !(await changed(store.addIssuer(row)))) {
        throw new AccountError('exists', `There is an issuer ${row.name} already.`, 'name')
      }
      return asIssuer(row)
    },
    listIssuers: async () => {
      const { issuers } = await directory.state()
      return issuers.map(asIssuer)
    },
    removeIssuer: async (name) => {
      if (!(await changed(store.removeIssuer(name)))) throw unknown('issuer', name)
    },

    listKeys: async () => keys.list(),
    rotateKeys: async ({ revoke = false } = {}) => changed(keys.rotate({ revoke })),
    explain,
  }
}

/** An issuer as the store keeps it; one of the configuration has an id that lasts as long as what it says. */
export const issuerRow = (issuer: Issuer, createdAt: number, id: string = randomUUID()): IssuerRow => ({
  id,
  name: issuer.name,
  issuer: issuer.issuer,
  audience: issuer.audience,
  conditions: { ...issuer.conditions },
  permissions: checkPermissions(issuer.permissions, 'permissions'),
  createdAt,
  ...(issuer.jwksUri !== undefined && { jwksUri: issuer.jwksUri }),
})

const unknown = (what: string, name: string): AccountError =>
  new AccountError('unknown', `There is no ${what} ${name.slice(0, 128)}.`)

const checkPage = ({ last, limit = 100 }: { last?: string; limit?: number }): { last?: string; limit: number } => {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1000) {
    throw new AccountError('invalid', 'A page has 1 to 1000 entries.', 'limit')
  }
  return { limit, ...(last !== undefined && { last }) }
}

const asUser = (row: UserRow): User => ({
  name: row.name,
  administrator: row.administrator,
  groups: row.groups,
  disabled: row.disabledAt !== undefined,
  hasPassword: row.passwordHash !== undefined,
  createdAt: row.createdAt,
})

const kinds: readonly PersonalToken['kind'][] = ['personal', 'refresh']

const asToken = ({
  id,
  kind,
  user,
  label,
  permissions,
  createdAt,
  expiresAt,
  lastUsedAt,
}: TokenRow): PersonalToken => ({
  id,
  kind,
  user,
  label,
  createdAt,
  ...(permissions !== undefined && { permissions }),
  ...(expiresAt !== undefined && { expiresAt }),
  ...(lastUsedAt !== undefined && { lastUsedAt }),
})

const asRule = ({ id, subject, repositories, actions }: Rule): Rule => ({
  ...(id !== undefined && { id }),
  subject,
  repositories,
  actions,
})

const asIssuer = ({ name, issuer, audience, jwksUri, conditions, permissions }: IssuerRow): Issuer => ({
  name,
  issuer,
  audience,
  conditions,
  permissions,
  ...(jwksUri !== undefined && { jwksUri }),
})
