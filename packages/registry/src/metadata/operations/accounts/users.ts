import type { UserChange, UserRow } from '../../account-store.ts'
import type { Page } from '../../metadata-store.ts'
import type { Operation, WriteOperation } from '../../operation.ts'
import { all, one, run, Undone } from '../../operation.ts'
import { statement } from '../../statement.ts'
import { removeRulesOfUser } from './rules.ts'
import { removeRefreshTokens } from './tokens.ts'
import { changeAccess } from './version.ts'

interface StoredUser {
  readonly id: string
  readonly name: string
  readonly passwordHash: string | null
  readonly administrator: number
  readonly groups: string
  readonly disabledAt: number | null
  readonly createdAt: number
  readonly passwordChangedAt: number
}

const columns = [
  'id',
  'name',
  'password_hash as passwordHash',
  'administrator',
  'groups_json as groups',
  'disabled_at as disabledAt',
  'created_at as createdAt',
  'password_changed_at as passwordChangedAt',
] as const

function userRow({ passwordHash, administrator, groups, disabledAt, ...user }: StoredUser): UserRow {
  return {
    ...user,
    administrator: administrator !== 0,
    groups: JSON.parse(groups),
    ...(passwordHash !== null && { passwordHash }),
    ...(disabledAt !== null && { disabledAt }),
  }
}

function stored({ passwordHash, administrator, groups, disabledAt, ...user }: UserRow): StoredUser {
  return {
    ...user,
    passwordHash: passwordHash ?? null,
    administrator: administrator ? 1 : 0,
    groups: JSON.stringify(groups),
    disabledAt: disabledAt ?? null,
  }
}

const findByName = statement<{ name: string }>()((db, p) =>
  db.selectFrom('users').select(columns).where('name', '=', p.name),
)

export function* findUser(name: string): Operation<UserRow | undefined> {
  // What anybody may ask, and what PostgreSQL has no text for.
  if (name.includes('\0')) return undefined
  const row = yield* one(findByName, { name })
  return row && userRow(row)
}

const pageOfUsers = statement<{ last: string; limit: number }>()((db, p) =>
  db.selectFrom('users').select(columns).where('name', '>', p.last).orderBy('name').limit(p.limit),
)

export function* listUsers({ last = '', limit }: Page): Operation<UserRow[]> {
  return (yield* all(pageOfUsers, { last, limit })).map(userRow)
}

const anyUser = statement<object>()((db) => db.selectFrom('users').select('id').limit(1))

/** Gives a row only when the name was free. */
const insertUser = statement<StoredUser>()((db, p) =>
  db
    .insertInto('users')
    .values({
      id: p.id,
      name: p.name,
      password_hash: p.passwordHash,
      administrator: p.administrator,
      groups_json: p.groups,
      disabled_at: p.disabledAt,
      created_at: p.createdAt,
      password_changed_at: p.passwordChangedAt,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id'),
)

export type AddUserResult = 'added' | 'exists' | 'not-first'

export function* addUser(user: UserRow, onlyFirst: boolean): WriteOperation<AddUserResult> {
  yield* changeAccess()
  if (onlyFirst && (yield* one(anyUser, {})) !== undefined) return new Undone<AddUserResult>('not-first')
  const added = yield* one(insertUser, stored(user))
  return added === undefined ? new Undone<AddUserResult>('exists') : 'added'
}

const updateUser = statement<StoredUser>()((db, p) =>
  db
    .updateTable('users')
    .set({
      password_hash: p.passwordHash,
      administrator: p.administrator,
      groups_json: p.groups,
      disabled_at: p.disabledAt,
      password_changed_at: p.passwordChangedAt,
    })
    .where('id', '=', p.id),
)

export function* changeUser(name: string, change: UserChange): WriteOperation<UserRow | undefined> {
  yield* changeAccess()
  const user = yield* findUser(name)
  if (user === undefined) return new Undone(undefined)
  const changed = withChange(user, change)
  yield* run(updateUser, stored(changed))
  // Who is let in again later logs in again.
  const ends = change.passwordHash !== undefined || changed.disabledAt !== undefined
  if (ends) yield* removeRefreshTokens(user.id)
  return changed
}

function withChange(user: UserRow, change: UserChange): UserRow {
  const { disabledAt, ...rest } = user
  const disabled = change.disabledAt === undefined ? disabledAt : (change.disabledAt ?? undefined)
  return {
    ...rest,
    administrator: change.administrator ?? user.administrator,
    groups: change.groups ?? user.groups,
    ...(disabled !== undefined && { disabledAt: disabled }),
    ...(change.passwordHash !== undefined && {
      passwordHash: change.passwordHash,
      // Another than before, whatever a clock says: it is how what was signed for the old password is known.
      passwordChangedAt: Math.max(change.passwordChangedAt ?? 0, user.passwordChangedAt + 1),
    }),
  }
}

const deleteUser = statement<{ name: string }>()((db, p) =>
  db.deleteFrom('users').where('name', '=', p.name).returning('id'),
)

/** The tokens go by the foreign key. */
export function* removeUser(name: string): WriteOperation<boolean> {
  yield* changeAccess()
  if ((yield* one(deleteUser, { name })) === undefined) return new Undone(false)
  yield* removeRulesOfUser(name)
  return true
}
