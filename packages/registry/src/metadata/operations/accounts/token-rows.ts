import type { Kysely } from 'kysely'
import type { TokenKind, TokenRow } from '../../account-store.ts'
import type { Operation } from '../../operation.ts'
import { run } from '../../operation.ts'
import type { Schema } from '../../schema.ts'
import { statement } from '../../statement.ts'

/** A token as the tables have it. */
interface StoredToken {
  readonly id: string
  readonly kind: TokenKind
  readonly userId: string
  readonly label: string
  readonly secretHash: string
  readonly permissions: string | null
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
  readonly parentId: string | null
  readonly passwordChangedAt: number | null
}

/** Every token, with the name of its user. */
export function tokensWithNames(db: Kysely<Schema>) {
  return db
    .selectFrom('users as u')
    .innerJoin('tokens as t', 't.user_id', 'u.id')
    .select((eb) => [
      't.id',
      eb.ref('t.kind').$castTo<TokenKind>().as('kind'),
      't.user_id as userId',
      'u.name as user',
      't.label',
      't.secret_hash as secretHash',
      't.permissions_json as permissions',
      't.created_at as createdAt',
      't.expires_at as expiresAt',
      't.last_used_at as lastUsedAt',
      't.parent_id as parentId',
      't.password_changed_at as passwordChangedAt',
    ])
}

export function tokenRow(row: StoredToken & { readonly user: string }): TokenRow {
  const { permissions, expiresAt, lastUsedAt, parentId, passwordChangedAt, ...token } = row
  return {
    ...token,
    ...(permissions !== null && { permissions: JSON.parse(permissions) }),
    ...(expiresAt !== null && { expiresAt }),
    ...(lastUsedAt !== null && { lastUsedAt }),
    ...(parentId !== null && { parentId }),
    ...(passwordChangedAt !== null && { passwordChangedAt }),
  }
}

export const ownerOf = statement<{ userId: string }>()((db, p) =>
  db
    .selectFrom('users')
    .select(['password_changed_at as passwordChangedAt', 'disabled_at as disabledAt'])
    .where('id', '=', p.userId),
)

const insert = statement<StoredToken>()((db, p) =>
  db.insertInto('tokens').values({
    id: p.id,
    kind: p.kind,
    user_id: p.userId,
    label: p.label,
    secret_hash: p.secretHash,
    permissions_json: p.permissions,
    created_at: p.createdAt,
    expires_at: p.expiresAt,
    last_used_at: p.lastUsedAt,
    parent_id: p.parentId,
    password_changed_at: p.passwordChangedAt,
  }),
)

export function* insertToken(token: TokenRow): Operation<void> {
  yield* run(insert, {
    ...token,
    permissions: token.permissions === undefined ? null : JSON.stringify(token.permissions),
    expiresAt: token.expiresAt ?? null,
    lastUsedAt: token.lastUsedAt ?? null,
    parentId: token.parentId ?? null,
    passwordChangedAt: token.passwordChangedAt ?? null,
  })
}
