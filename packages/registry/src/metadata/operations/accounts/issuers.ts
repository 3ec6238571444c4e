import type { IssuerRow } from '../../account-store.ts'
import type { Operation, WriteOperation } from '../../operation.ts'
import { all, one, Undone } from '../../operation.ts'
import { statement } from '../../statement.ts'
import { changeAccess } from './version.ts'

const everyIssuer = statement<object>()((db) =>
  db
    .selectFrom('issuers')
    .select([
      'id',
      'name',
      'issuer',
      'audience',
      'jwks_uri as jwksUri',
      'conditions_json as conditions',
      'permissions_json as permissions',
      'created_at as createdAt',
    ])
    .orderBy('name'),
)

export function* listIssuers(): Operation<IssuerRow[]> {
  const rows = yield* all(everyIssuer, {})
  return rows.map(({ jwksUri, conditions, permissions, ...issuer }) => ({
    ...issuer,
    ...(jwksUri !== null && { jwksUri }),
    conditions: JSON.parse(conditions),
    permissions: JSON.parse(permissions),
  }))
}

/** Gives a row only when the name was free. */
const insertIssuer = statement<{
  id: string
  name: string
  issuer: string
  audience: string
  jwksUri: string | null
  conditions: string
  permissions: string
  createdAt: number
}>()((db, p) =>
  db
    .insertInto('issuers')
    .values({
      id: p.id,
      name: p.name,
      issuer: p.issuer,
      audience: p.audience,
      jwks_uri: p.jwksUri,
      conditions_json: p.conditions,
      permissions_json: p.permissions,
      created_at: p.createdAt,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id'),
)

export function* addIssuer(issuer: IssuerRow): WriteOperation<boolean> {
  yield* changeAccess()
  const added = yield* one(insertIssuer, {
    ...issuer,
    jwksUri: issuer.jwksUri ?? null,
    conditions: JSON.stringify(issuer.conditions),
    permissions: JSON.stringify(issuer.permissions),
  })
  return added === undefined ? new Undone(false) : true
}

const deleteIssuer = statement<{ name: string }>()((db, p) =>
  db.deleteFrom('issuers').where('name', '=', p.name).returning('id'),
)

export function* removeIssuer(name: string): WriteOperation<boolean> {
  yield* changeAccess()
  return (yield* one(deleteIssuer, { name })) === undefined ? new Undone(false) : true
}
