import type { Accounts, Explanation, Rule } from '@stowage/registry'
import { z } from 'zod'
import { actions } from '../config/setting.ts'
import { formatSubject, parseSubject } from '../config/names.ts'
import { accountsPath } from './api.ts'
import { type Operation, type OperationGroup, operationGroup } from './operations.ts'
import { traceOf } from './trace.ts'

/** Accounts, and what they have to know of where they are. */
export interface Administered {
  readonly accounts: Accounts
  readonly facts: ServerFacts
}

/** What the accounts themselves do not know. */
export interface ServerFacts {
  /** Whether clients have to log in: if not, accounts only wait for that. Undefined: no server runs, and nobody said. */
  readonly auth: boolean | undefined
}

/** What can be done with accounts, by name. What may be in the members of a body the registry checks. */
const operation = <B, A extends object>(
  body: z.ZodType<B>,
  run: (accounts: Accounts, body: B, facts: ServerFacts) => Promise<A>,
): Operation<Administered, B, A> => ({
  body,
  run: async ({ accounts, facts }, given) => run(accounts, given, facts),
})

const text = z.string()
const page = { last: text.exactOptional(), limit: z.int().exactOptional() }
const permission = z.strictObject({ repositories: text, actions: z.array(z.enum(actions)) })
const subject = text.transform((given, context) => {
  const parsed = parseSubject(given)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: 'A rule is for user:NAME, group:NAME, authenticated or anonymous.' })
  return z.NEVER
})

export const accountOperations = {
  'user-add': operation(
    z.strictObject({
      name: text,
      password: text.exactOptional(),
      administrator: z.boolean().exactOptional(),
      groups: z.array(text).exactOptional(),
    }),
    async (accounts, user) => accounts.addUser(user),
  ),
  'user-password': operation(z.strictObject({ name: text, password: text }), async (accounts, { name, password }) =>
    accounts.setPassword(name, password),
  ),
  'user-change': operation(
    z.strictObject({
      name: text,
      administrator: z.boolean().exactOptional(),
      groups: z.array(text).exactOptional(),
      disabled: z.boolean().exactOptional(),
    }),
    async (accounts, { name, ...change }) => accounts.changeUser(name, change),
  ),
  'user-remove': operation(z.strictObject({ name: text }), async (accounts, { name }) => {
    await accounts.removeUser(name)
    return { removed: name }
  }),
  'user-list': operation(z.strictObject(page), async (accounts, options) => ({
    users: await accounts.listUsers(options),
  })),

  'token-add': operation(
    z.strictObject({
      user: text,
      label: text,
      permissions: z.array(permission).exactOptional(),
      expiresIn: z.int().exactOptional(),
    }),
    async (accounts, token) => accounts.addToken(token),
  ),
  'token-list': operation(
    z.strictObject({
      kind: z.enum(['personal', 'refresh']).exactOptional(),
      user: text.exactOptional(),
      ...page,
    }),
    async (accounts, options) => ({ tokens: await accounts.listTokens(options) }),
  ),
  'token-remove': operation(z.strictObject({ id: text }), async (accounts, { id }) => {
    await accounts.removeToken(id)
    return { removed: id }
  }),

  'rule-add': operation(
    z.strictObject({ subject, repositories: text, actions: z.array(z.enum(actions)) }),
    async (accounts, rule) => asRule(await accounts.addRule(rule)),
  ),
  'rule-list': operation(z.strictObject({}), async (accounts) => ({ rules: (await accounts.listRules()).map(asRule) })),
  'rule-remove': operation(z.strictObject({ id: z.int() }), async (accounts, { id }) => {
    await accounts.removeRule(id)
    return { removed: id }
  }),
  explain: operation(
    z.strictObject({
      name: text.exactOptional(),
      action: z.enum(actions),
      repository: text,
      tag: text.exactOptional(),
    }),
    async (accounts, question, { auth }) => ({
      ...asAnswer(await accounts.explain(question)),
      ...(auth !== undefined && { auth }),
    }),
  ),

  'issuer-add': operation(
    z.strictObject({
      name: text,
      issuer: text,
      audience: text,
      jwksUri: text.exactOptional(),
      conditions: z.record(text, text),
      permissions: z.array(permission),
    }),
    async (accounts, issuer) => accounts.addIssuer(issuer),
  ),
  'issuer-list': operation(z.strictObject({}), async (accounts) => ({ issuers: await accounts.listIssuers() })),
  'issuer-remove': operation(z.strictObject({ name: text }), async (accounts, { name }) => {
    await accounts.removeIssuer(name)
    return { removed: name }
  }),

  'key-list': operation(z.strictObject({}), async (accounts) => ({ keys: await accounts.listKeys() })),
  'key-rotate': operation(z.strictObject({ revoke: z.boolean().exactOptional() }), async (accounts, options) =>
    accounts.rotateKeys(options),
  ),
}

export const accountGroup = (administered: Administered): OperationGroup =>
  operationGroup(accountsPath, accountOperations, administered, (name, answer, body) =>
    traceOf(name as AccountOperation, answer, body),
  )

export type AccountOperation = keyof typeof accountOperations
export type OperationBody<O extends AccountOperation> = z.input<(typeof accountOperations)[O]['body']>
export type OperationAnswer<O extends AccountOperation> = Awaited<ReturnType<(typeof accountOperations)[O]['run']>>

/** A rule as the configuration writes it: `group:dev`. */
export interface WrittenRule {
  /** Of a rule in the store; one of the configuration has none. */
  readonly id?: number
  readonly subject: string
  readonly repositories: string
  readonly actions: readonly string[]
}

const asRule = ({ id, subject: whom, repositories, actions: allowed }: Rule): WrittenRule => ({
  ...(id !== undefined && { id }),
  subject: formatSubject(whom),
  repositories,
  actions: allowed,
})

const asAnswer = ({ allowed, decision, policy, because }: Explanation) => ({
  allowed,
  because,
  decision: decision.allowed ? (typeof decision.by === 'string' ? decision.by : ('rule' as const)) : decision.because,
  ...(decision.allowed && typeof decision.by !== 'string' && { rule: asRule(decision.by.rule) }),
  ...(policy !== undefined && { policy }),
})
