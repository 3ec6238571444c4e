import type { Digest } from '@stowage/oci'
import type { Page, ReferrerRow } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'

/** An absent `artifactType` admits all. */
const pageOfReferrers = statement<{
  repository: string
  subject: string
  artifactType: string | null
  last: string
  limit: number
}>()((db, p) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('manifests as m', 'm.repository_id', 'r.id')
    .select((eb) => [
      eb.ref('m.digest').$castTo<Digest>().as('digest'),
      'm.media_type as mediaType',
      'm.size',
      'm.artifact_type as artifactType',
      'm.annotations_json as annotations',
    ])
    .where('r.name', '=', p.repository)
    .where('m.subject', '=', p.subject)
    // Nobody can pull it.
    .where('m.corrupt_since', 'is', null)
    .where('m.digest', '>', p.last)
    .where((eb) => {
      const wanted = eb.cast<string | null>(eb.val(p.artifactType), 'text')
      return eb.or([eb(wanted, 'is', null), eb('m.artifact_type', '=', wanted)])
    })
    .orderBy('m.digest')
    .limit(p.limit),
)

export function* listReferrers(
  page: Page & { readonly repository: string; readonly subject: Digest; readonly artifactType?: string },
): Operation<ReferrerRow[]> {
  const { repository, subject, artifactType = null, last = '', limit } = page
  const rows = yield* all(pageOfReferrers, { repository, subject, artifactType, last, limit })
  return rows.map(({ annotations, artifactType: type, ...row }) => ({
    ...row,
    ...(type !== null && { artifactType: type }),
    annotations: JSON.parse(annotations),
  }))
}
