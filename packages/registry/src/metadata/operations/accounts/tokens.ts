import { mostRefreshTokens, type TokenKind, type TokenRow } from '../../account-store.ts'
import { elements, member, numberMember } from '../../elements.ts'
import type { Page } from '../../metadata-store.ts'
import type { Operation, WriteOperation } from '../../operation.ts'
import { all, one, run, Undone } from '../../operation.ts'
import { statement } from '../../statement.ts'
import { insertToken, ownerOf, tokenRow, tokensWithNames } from './token-rows.ts'
import { changeAccess, holdAccess } from './version.ts'

export type AddTokenResult = 'added' | 'user-unknown'

/** Nobody can have asked for a token before it was there: only what an administrator makes is worth everybody's notice. */
export function* addToken(token: TokenRow): WriteOperation<AddTokenResult> {
  const { kind, userId, parentId, passwordChangedAt } = token
  yield* kind === 'personal' ? changeAccess() : holdAccess()
  const owner = yield* one(ownerOf, { userId })
  const refused =
    owner === undefined ||
    (kind === 'refresh' && owner.disabledAt !== null) ||
    (kind === 'refresh' && parentId === undefined && owner.passwordChangedAt !== passwordChangedAt) ||
    (parentId !== undefined && (yield* findToken(parentId)) === undefined)
  if (refused) return new Undone<AddTokenResult>('user-unknown')
  if (kind === 'refresh') yield* run(deleteOldest, { userId, parentId: parentId ?? '' })
  yield* insertToken(token)
  return 'added'
}

/** Leaves room for one more. Not the oldest of all with the new one: its clock may be behind. */
const deleteOldest = statement<{ userId: string; parentId: string }>()((db, p) =>
  db.deleteFrom('tokens').where('id', 'in', (eb) =>
    eb
      .selectFrom('tokens')
      .select('id')
      .where('user_id', '=', p.userId)
      .where('kind', '=', 'refresh')
      .where((inner) => inner(inner.fn.coalesce('parent_id', inner.val('')), '=', p.parentId))
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1000)
      .offset(mostRefreshTokens - 1),
  ),
)

const findById = statement<{ id: string }>()((db, p) => tokensWithNames(db).where('t.id', '=', p.id))

export function* findToken(id: string): Operation<TokenRow | undefined> {
  // What anybody may ask, and what PostgreSQL has no text for.
  if (id.includes('\0')) return undefined
  const row = yield* one(findById, { id })
  return row && tokenRow(row)
}

const pageOfTokens = statement<{
  firstUser: string
  lastUser: string
  kind: string | null
  user: string
  createdAt: number
  id: string
  limit: number
}>()((db, p) =>
  tokensWithNames(db)
    .where('u.name', '>=', p.firstUser)
    .where('u.name', '<=', p.lastUser)
    .where((eb) => {
      const kind = eb.cast<string | null>(eb.val(p.kind), 'text')
      return eb.or([eb(kind, 'is', null), eb('t.kind', '=', kind)])
    })
    .where((eb) => eb(eb.refTuple('u.name', 't.created_at', 't.id'), '>', eb.tuple(p.user, p.createdAt, p.id)))
    .orderBy('u.name')
    .orderBy('t.created_at')
    .orderBy('t.id')
    .limit(p.limit),
)

/** Behind every name of a user, in byte order. */
const BEHIND_ALL = '\u{10ffff}'
const beforeAll = { user: '', createdAt: 0, id: '' }

export function* listTokens(page: Page & { readonly user?: string; readonly kind?: TokenKind }): Operation<TokenRow[]> {
  const { last, limit, user, kind = null } = page
  const place = (last === undefined ? undefined : yield* findToken(last)) ?? beforeAll
  const rows = yield* all(pageOfTokens, {
    firstUser: user ?? place.user,
    lastUser: user ?? BEHIND_ALL,
    kind,
    user: place.user,
    createdAt: place.createdAt,
    id: place.id,
    limit,
  })
  return rows.map(tokenRow)
}

const deleteToken = statement<{ id: string }>()((db, p) =>
  db.deleteFrom('tokens').where('id', '=', p.id).returning('id'),
)

/** Those that were got with it go by the foreign key. */
export function* removeToken(id: string): WriteOperation<boolean> {
  yield* changeAccess()
  return (yield* one(deleteToken, { id })) === undefined ? new Undone(false) : true
}

const deleteRefreshTokens = statement<{ userId: string }>()((db, p) =>
  db.deleteFrom('tokens').where('user_id', '=', p.userId).where('kind', '=', 'refresh'),
)

export function* removeRefreshTokens(userId: string): Operation<void> {
  yield* run(deleteRefreshTokens, { userId })
}

const setLastUse = statement<{ uses: string }>()((db, p, dialect) =>
  db
    .updateTable('tokens')
    .from((eb) =>
      eb
        .selectFrom(elements(dialect, p.uses))
        .select([member('id').as('id'), numberMember('at').as('at')])
        .as('used'),
    )
    .set((eb) => ({ last_used_at: eb.ref('used.at') }))
    .whereRef('tokens.id', '=', 'used.id')
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', eb.ref('used.at'))])),
)

export function* touchTokens(uses: readonly { readonly id: string; readonly at: number }[]): Operation<void> {
  const latest = new Map<string, number>()
  // An update changes a row once, whatever the number of entries that match it.
  for (const { id, at } of uses) latest.set(id, Math.max(at, latest.get(id) ?? 0))
  if (latest.size === 0) return
  yield* holdAccess()
  yield* run(setLastUse, { uses: JSON.stringify([...latest].map(([id, at]) => ({ id, at }))) })
}

const listEnded = statement<{ before: number; limit: number }>()((db, p) =>
  db.selectFrom('tokens').select('id').where('expires_at', '<', p.before).orderBy('expires_at').limit(p.limit),
)

const deleteTokens = statement<{ ids: string }>()((db, p, dialect) =>
  db
    .deleteFrom('tokens')
    .where('id', 'in', (eb) => eb.selectFrom(elements(dialect, p.ids)).select(member('id').as('id'))),
)

/**
 * Removes at most `limit`, the longest ended first: a transaction must not hold up the others. What is known of them elsewhere
 * may stay: whoever looks at a token looks at its end.
 */
export function* removeExpiredTokens(before: number, limit: number): WriteOperation<number> {
  yield* holdAccess()
  const ended = yield* all(listEnded, { before, limit })
  if (ended.length === 0) return new Undone(0)
  yield* run(deleteTokens, { ids: JSON.stringify(ended) })
  return ended.length
}
