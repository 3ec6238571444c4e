import { LRUCache } from 'lru-cache'
import { createRuleBook, type Rule, type RuleBook } from '../access/rules.ts'
import type { Logger } from '../logger.ts'
import type { AccountStore, IssuerRow, TokenRow, UserRow } from '../metadata/account-store.ts'
import { isUserName } from './names.ts'

/**
 * What verdicts are made of, kept in memory: rules and issuers as a whole, users and tokens as they are asked for. A change
 * made here holds from the next request on, one made by another process within `staleAfter`.
 */
export interface Directory {
  /** At once when it is fresh: a promise for every request would cost more than the verdict. */
  state(): AccessState | Promise<AccessState>
  /** What is no name of a user is nobody's, and never asked of the store. */
  user(name: string): UserRow | undefined | Promise<UserRow | undefined>
  token(id: string): TokenRow | undefined | Promise<TokenRow | undefined>
  /** Always asked of the store: one goes without a word when its user has too many, and with the password. */
  refreshToken(id: string): Promise<TokenRow | undefined>
  /** After a change of one's own. */
  forget(): void
}

export interface AccessState {
  readonly rules: RuleBook
  readonly issuers: readonly IssuerRow[]
  /** Of the store. Grows with every change; a stamp for what was concluded from it. */
  readonly version: number
}

export interface DirectoryOptions {
  readonly store: AccountStore
  /** Of the configuration. */
  readonly rules: readonly Rule[]
  readonly issuers: readonly IssuerRow[]
  readonly now: () => number
  readonly logger: Logger
  /** Told when something has changed, or may have. */
  readonly onChange?: () => void
}

/** Milliseconds. */
const staleAfter = 1000

/** What is not there is remembered too, so that names that nobody has cannot be told by the time they take. */
interface Known<Row> {
  readonly row: Row | undefined
}

export const createDirectory = (options: DirectoryOptions): Directory => {
  const { store, now } = options
  const users = new LRUCache<string, Known<UserRow>>({ max: 10_000 })
  const tokens = new LRUCache<string, Known<TokenRow>>({ max: 10_000 })
  let known: AccessState | undefined
  /** The last version that was read, also after it was forgotten. */
  let seen: number | undefined
  let checkedAt = -Infinity
  let loading: Promise<AccessState> | undefined
  /** Counts what was forgotten: an answer that was on its way then is given, but not kept. */
  let generation = 0
  let states = 0

  const clear = (): void => {
    generation += 1
    users.clear()
    tokens.clear()
  }

  const configured = new Set(options.issuers.map(({ name }) => name))
  const ignored = new Set<string>()

  /** Two of one name would make one name of the workloads of both. */
  const isNotConfigured = ({ name }: IssuerRow): boolean => {
    if (!configured.has(name)) return true
    if (!ignored.has(name)) {
      ignored.add(name)
      options.logger.warn(
        { issuer: name },
        'The configuration has an issuer of this name: the one in the database is ignored. Remove it, or rename one of them.',
      )
    }
    return false
  }

  const load = async (): Promise<AccessState> => {
    const began = states
    const at = now()
    // Read before what it describes: a change in between is then noticed at the next look.
    const version = await store.accessVersion()
    if (known !== undefined && version === known.version) {
      checkedAt = at
      return known
    }
    if (known !== undefined) clear()
    const [rules, issuers] = await Promise.all([store.listRules(), store.listIssuers()])
    const state: AccessState = {
      rules: createRuleBook([...options.rules, ...rules]),
      issuers: [...options.issuers, ...issuers.filter(isNotConfigured)],
      version,
    }
    if (began !== states) return state
    known = state
    checkedAt = at
    // After what was forgotten here, too: another process may have written as well, and keys were perhaps read in between.
    const changed = version !== seen
    seen = version
    if (changed) options.onChange?.()
    return state
  }

  const fresh = (): AccessState | undefined => {
    const age = now() - checkedAt
    return age >= 0 && age < staleAfter ? known : undefined
  }

  const state: Directory['state'] = () => {
    const ready = fresh()
    if (ready !== undefined) return ready
    if (loading === undefined) {
      const mine = load().finally(() => {
        if (loading === mine) loading = undefined
      })
      loading = mine
    }
    return loading
  }

  const lookUp = async <Row>(
    cache: LRUCache<string, Known<Row>>,
    key: string,
    ask: (key: string) => Promise<Row | undefined>,
  ): Promise<Row | undefined> => {
    // Before the cache is asked: it is emptied here when another process has changed something.
    await state()
    const found = cache.get(key)
    if (found !== undefined) return found.row
    const began = generation
    const row = await ask(key)
    if (began === generation) cache.set(key, { row })
    return row
  }

  return {
    state,
    user: (name) => {
      if (!isUserName(name)) return undefined
      const found = fresh() === undefined ? undefined : users.get(name)
      return found === undefined ? lookUp(users, name, store.findUser) : found.row
    },
    token: (id) => {
      const found = fresh() === undefined ? undefined : tokens.get(id)
      return found === undefined ? lookUp(tokens, id, store.findToken) : found.row
    },
    refreshToken: store.findToken,
    forget: () => {
      states += 1
      known = undefined
      loading = undefined
      clear()
      options.onChange?.()
    },
  }
}
