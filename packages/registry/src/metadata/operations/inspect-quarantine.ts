import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { MetadataProblem } from '../upkeep-store.ts'

const corruptBlobs = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('blobs as b')
    .select((eb) => [
      'b.digest',
      'b.corrupt_since as since',
      eb
        .selectFrom('repository_blobs as l')
        .innerJoin('repositories as r', 'r.id', 'l.repository_id')
        .select('r.name')
        .whereRef('l.digest', '=', 'b.digest')
        .limit(1)
        .as('repository'),
    ])
    .where('b.corrupt_since', 'is not', null)
    .limit(p.limit),
)

const corruptManifests = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.name as repository', 'm.digest', 'm.corrupt_since as since'])
    .where('m.corrupt_since', 'is not', null)
    .limit(p.limit),
)

export function* inspectQuarantine(limit: number): Operation<MetadataProblem[]> {
  const found: MetadataProblem[] = []
  for (const { digest, since, repository } of yield* all(corruptBlobs, { limit })) {
    found.push({
      kind: 'blob-quarantined',
      ...(repository !== null && { repository }),
      subject: digest,
      message: `The bytes of the blob have been known to be wrong or missing since ${time(since)}; nobody gets them.`,
    })
  }
  for (const { repository, digest, since } of yield* all(corruptManifests, { limit })) {
    const message = `The bytes of the manifest have been known to be wrong since ${time(since)}; nobody gets them.`
    found.push({ kind: 'manifest-quarantined', repository, subject: digest, message })
  }
  return found
}

/** A number that is no time is shown as it is: a look at a damaged database must not end here. */
const time = (at: number | null): string => {
  const date = new Date(Number(at))
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}
