import type { SigningKeyRow } from '../../account-store.ts'
import type { Operation, WriteOperation } from '../../operation.ts'
import { all, one, run, Undone } from '../../operation.ts'
import { statement } from '../../statement.ts'
import { changeAccess } from './version.ts'

const everyKey = statement<object>()((db) =>
  db
    .selectFrom('signing_keys')
    .select((eb) => [
      'id',
      eb.ref('algorithm').$castTo<SigningKeyRow['algorithm']>().as('algorithm'),
      'public_key as publicKey',
      'sealed_private_key as sealedPrivateKey',
      'created_at as createdAt',
    ])
    .orderBy('created_at', 'desc'),
)

export function* listSigningKeys(): Operation<SigningKeyRow[]> {
  return yield* all(everyKey, {})
}

const insertKey = statement<{
  id: string
  algorithm: string
  publicKey: string
  sealedPrivateKey: string
  createdAt: number
}>()((db, p) =>
  db.insertInto('signing_keys').values({
    id: p.id,
    algorithm: p.algorithm,
    public_key: p.publicKey,
    sealed_private_key: p.sealedPrivateKey,
    created_at: p.createdAt,
  }),
)

export function* addSigningKey(key: SigningKeyRow, ifNewestIs: string | null): WriteOperation<boolean> {
  yield* changeAccess()
  const [newest] = yield* listSigningKeys()
  if ((newest?.id ?? null) !== ifNewestIs) return new Undone(false)
  // The newest of all from now on, also where the clock of the one before was ahead.
  const createdAt = Math.max(key.createdAt, newest === undefined ? 0 : newest.createdAt + 1)
  yield* run(insertKey, { ...key, createdAt })
  return true
}

const deleteKey = statement<{ id: string }>()((db, p) =>
  db.deleteFrom('signing_keys').where('id', '=', p.id).returning('id'),
)

export function* removeSigningKey(id: string): WriteOperation<boolean> {
  yield* changeAccess()
  return (yield* one(deleteKey, { id })) === undefined ? new Undone(false) : true
}
