import type { Logger } from '../../logger.ts'
import type { AccountStore, SigningKeyRow } from '../../metadata/account-store.ts'
import type { Key } from '../accounts.ts'
import { isRandomId } from './random-id.ts'
import type { Secret } from './secret.ts'
import { makeKeyRow, openKeyRow, type SigningKey } from './signing-key.ts'

/** The keys that sign and verify Bearer tokens: those of the store that the registry's secret opens, and no others. */
export interface KeyRing {
  /** The key that signs: the newest. The first is made when it is needed. */
  current(): Promise<SigningKey>
  /** The key of this `kid`. A text that cannot be one never reaches the store. */
  verifier(kid: string): Promise<SigningKey | undefined>
  /**
   * Signs with a new key from now on.
   *
   * @param options.revoke Removes the keys that were there before: what they signed is refused.
   */
  rotate(options: { readonly revoke: boolean }): Promise<Key>
  /** Newest first. */
  list(): Promise<Key[]>
  /** What is known may be out of date: the store is read again before the next use. */
  refresh(): void
  /** Removes keys that nothing can be signed with any more. Gives how many. */
  prune(): Promise<number>
}

export interface KeyRingOptions {
  readonly store: AccountStore
  readonly secret: Secret
  /** Of new keys. */
  readonly algorithm: SigningKeyRow['algorithm']
  readonly now: () => number
  readonly logger: Logger
}

interface Keys {
  readonly rows: readonly SigningKeyRow[]
  /** Those that could be opened, newest first. */
  readonly opened: ReadonlyMap<string, SigningKey>
  readonly readAt: number
}

/** Seconds that a Bearer token is good for at most. */
export const longestTokenLifetime = 3600

/** How far apart the clocks of two machines may be, and how late one hears of a new key. Milliseconds. */
const skew = 60_000

/** Milliseconds. A key that another process has just made is found; a stream of made-up ids costs one query a second. */
const againAfter = 1000

const mostAttempts = 10

export const createKeyRing = (options: KeyRingOptions): KeyRing => {
  const { store, secret, algorithm, now, logger } = options
  let known: Keys | undefined
  let loading: Promise<Keys> | undefined
  let making: Promise<SigningKey> | undefined
  let generation = 0
  let warned = false
  /** Opening costs two imports; a row never changes. */
  let opened = new Map<string, SigningKey>()

  const refresh = (): void => {
    generation += 1
    known = undefined
    loading = undefined
  }

  const load = async (): Promise<Keys> => {
    const began = generation
    const readAt = now()
    const rows = await store.listSigningKeys()
    const keys = await Promise.all(rows.map(async (row) => opened.get(row.id) ?? openKeyRow(secret, row)))
    const found = new Map(keys.flatMap((key) => (key === undefined ? [] : [[key.id, key]])))
    if (found.size < rows.length && !warned) {
      warned = true
      logger.warn(
        { keys: rows.map(({ id }) => id).filter((id) => !found.has(id)) },
        'The secret of this registry does not open these signing keys: they are not used, and Bearer tokens they signed have ended.',
      )
    }
    const result: Keys = { rows, opened: found, readAt }
    if (began === generation) {
      known = result
      opened = found
    }
    return result
  }

  const read = (): Promise<Keys> => {
    if (known !== undefined) return Promise.resolve(known)
    if (loading === undefined) {
      const mine = load().finally(() => {
        if (loading === mine) loading = undefined
      })
      loading = mine
    }
    return loading
  }

  const readAgain = (): Promise<Keys> => {
    refresh()
    return read()
  }

  const newest = ({ opened: keys }: Keys): SigningKey | undefined => keys.values().next().value

  /** Adds a key after the newest one. Of many who do at once, one adds and all see its key. */
  const add = async ({ rows }: Keys): Promise<Keys> => {
    const [last] = rows
    await store.addSigningKey(await makeKeyRow(secret, algorithm, now()), last?.id ?? null)
    return readAgain()
  }

  const addUntil = async (start: Keys, isGood: (key: SigningKey) => boolean): Promise<SigningKey> => {
    let keys = start
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      keys = await add(keys)
      const key = newest(keys)
      if (key !== undefined && isGood(key)) return key
    }
    throw new Error(
      'No signing key could be added: other processes on this database add keys of their own. Give all of them one secret.',
    )
  }

  const current: KeyRing['current'] = async () => {
    const keys = await read()
    const key = newest(keys)
    if (key !== undefined) return key
    making ??= addUntil(keys, () => true).finally(() => {
      making = undefined
    })
    return making
  }

  return {
    current,
    verifier: async (kid) => {
      if (!isRandomId(kid)) return undefined
      const keys = await read()
      const key = keys.opened.get(kid)
      if (key !== undefined) return key
      const age = now() - keys.readAt
      if (age >= 0 && age < againAfter) return undefined
      return (await readAgain()).opened.get(kid)
    },
    rotate: async ({ revoke }) => {
      const before = await readAgain()
      const old = new Set(before.rows.map(({ id }) => id))
      const key = await addUntil(before, ({ id }) => !old.has(id))
      if (revoke) {
        for (const id of old) await store.removeSigningKey(id)
        refresh()
      }
      return asKey(key, key.id)
    },
    list: async () => {
      const keys = await readAgain()
      return keys.rows.map((row) => asKey(row, newest(keys)?.id))
    },
    refresh,
    prune: async () => {
      const { rows, opened: ours } = await readAgain()
      // It signed until the next one was made: its last token ends a lifetime after that. One that this secret does not open was
      // never a next one here.
      const ended = rows.filter((_, index) => {
        const next = rows.slice(0, index).findLast(({ id }) => ours.has(id))
        return next !== undefined && next.createdAt + longestTokenLifetime * 1000 + skew < now()
      })
      for (const { id } of ended) await store.removeSigningKey(id)
      if (ended.length > 0) refresh()
      return ended.length
    },
  }
}

const asKey = ({ id, algorithm, createdAt }: Omit<Key, 'current'>, current: string | undefined): Key => ({
  id,
  algorithm,
  createdAt,
  current: id === current,
})
