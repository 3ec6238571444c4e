import type { Operation } from '../operation.ts'
import { one, run } from '../operation.ts'
import { statement } from '../statement.ts'

/** Seen from a repository: the bytes of a manifest that only another repository holds are not there. */
export const readContent = statement<{ repository: string; digest: string }>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('manifests as m', 'm.repository_id', 'r.id')
    .innerJoin('manifest_contents as c', 'c.digest', 'm.digest')
    .select('c.bytes')
    .where('r.name', '=', p.repository)
    .where('m.digest', '=', p.digest),
)

export const lockContent = statement<{ digest: string }>()((db, p, dialect) =>
  db
    .selectFrom('manifest_contents')
    .select('bytes')
    .where('digest', '=', p.digest)
    .$if(dialect === 'postgres', (query) => query.forUpdate()),
)

/** The conflict is with a transaction that came between the look and the insert: wait for it, and lock its row. */
const insertContent = statement<{ digest: string; bytes: Uint8Array }>()((db, p) =>
  db
    .insertInto('manifest_contents')
    .values({ digest: p.digest, bytes: p.bytes })
    .onConflict((conflict) => conflict.column('digest').doUpdateSet((eb) => ({ bytes: eb.ref('excluded.bytes') }))),
)

const healManifests = statement<{ digest: string }>()((db, p) =>
  db.updateTable('manifests').set({ corrupt_since: null }).where('digest', '=', p.digest),
)

/** Afterwards the bytes are there, and are these, and stay to the end of the transaction. The caller knows their digest. */
export function* addContent(digest: string, bytes: Uint8Array): Operation<void> {
  const held = yield* one(lockContent, { digest })
  if (held !== undefined && Buffer.compare(held.bytes, bytes) === 0) return
  yield* run(insertContent, { digest, bytes })
  // What was there had gone bad, in every repository.
  if (held !== undefined) yield* run(healManifests, { digest })
}

const removeContent = statement<{ digest: string }>()((db, p) =>
  db
    .deleteFrom('manifest_contents')
    .where('digest', '=', p.digest)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('manifests').select('digest').where('digest', '=', p.digest)))),
)

export function* removeUnusedContent(digest: string): Operation<void> {
  // A statement of its own: what it waits for must be visible to the next one.
  yield* run(lockContent, { digest })
  yield* run(removeContent, { digest })
}
