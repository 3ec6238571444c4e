import { sql } from 'kysely'
import type { Digest } from '@stowage/oci'
import { elements, member } from '../elements.ts'
import type { ReferenceRole } from '../metadata-store.ts'
import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { StoredManifest } from '../upkeep-store.ts'

/** A page of manifests has about as many bytes at most, and one manifest in any case. */
const pageBytes = 1024 * 1024

const pageOfManifests = statement<{ repository: string; last: string; limit: number }>()((db, p, dialect) => {
  const found =
    dialect === 'postgres'
      ? sql<string | null>`cast(json_agg(json_build_array(found.digest, found.role, found.held)) as text)`
      : sql<string | null>`json_group_array(json_array(found.digest, found.role, found.held))`
  return db
    .with('page', (page) =>
      page
        .selectFrom('repositories as r')
        .innerJoin('manifests as m', 'm.repository_id', 'r.id')
        .select(['m.repository_id', 'm.digest', 'm.size'])
        .where('r.name', '=', p.repository)
        .where('m.digest', '>', p.last)
        .orderBy('m.digest')
        .limit(p.limit),
    )
    .with('summed', (summed) =>
      summed
        .selectFrom('page')
        .select(['repository_id', 'digest', sql<number>`sum(size) over (order by digest) - size`.as('before')]),
    )
    .selectFrom('summed as s')
    .innerJoin('manifests as m', (join) =>
      join.onRef('m.repository_id', '=', 's.repository_id').onRef('m.digest', '=', 's.digest'),
    )
    .innerJoin('manifest_contents as c', 'c.digest', 'm.digest')
    .select((eb) => [
      eb.ref('m.digest').$castTo<Digest>().as('digest'),
      'm.media_type as mediaType',
      'm.size',
      'm.subject',
      'm.artifact_type as artifactType',
      'm.annotations_json as annotations',
      'm.platforms_json as platforms',
      'm.corrupt_since as corruptSince',
      'c.bytes',
      eb
        .selectFrom((references) =>
          references
            .selectFrom('manifest_references as f')
            .select((f) => [
              'f.digest',
              'f.role',
              f
                .case()
                .when(
                  f.or([
                    f.exists(
                      f
                        .selectFrom('repository_blobs as l')
                        .select('l.digest')
                        .whereRef('l.repository_id', '=', 'f.repository_id')
                        .whereRef('l.digest', '=', 'f.digest'),
                    ),
                    f.and([
                      f('f.role', '=', 'manifest'),
                      f.exists(
                        f
                          .selectFrom('manifests as h')
                          .select('h.digest')
                          .whereRef('h.repository_id', '=', 'f.repository_id')
                          .whereRef('h.digest', '=', 'f.digest'),
                      ),
                    ]),
                  ]),
                )
                .then(1)
                .else(0)
                .end()
                .as('held'),
            ])
            .whereRef('f.repository_id', '=', 'm.repository_id')
            .whereRef('f.manifest_digest', '=', 'm.digest')
            .as('found'),
        )
        .select(found.as('found'))
        .as('references'),
    ])
    .where('s.before', '<', pageBytes)
    .orderBy('m.digest')
})

export function* listManifests(page: {
  readonly repository: string
  readonly last?: Digest
  readonly limit: number
}): Operation<StoredManifest[]> {
  const { repository, last = '', limit } = page
  const rows = yield* all(pageOfManifests, { repository, last, limit })
  return rows.map(({ subject, artifactType, corruptSince, references, ...row }) => ({
    ...row,
    ...(subject !== null && { subject }),
    ...(artifactType !== null && { artifactType }),
    corrupt: corruptSince !== null,
    references: (JSON.parse(references ?? '[]') as [Digest, ReferenceRole, number][]).map(([digest, role, held]) => ({
      digest,
      role,
      held: held === 1,
    })),
  }))
}

const uploadsOf = statement<{ ids: string }>()((db, p, dialect) =>
  db
    .selectFrom('uploads')
    .select('id')
    .where('id', 'in', (eb) => eb.selectFrom(elements(dialect, p.ids)).select(member('id').as('id'))),
)

export function* knownUploads(ids: readonly string[]): Operation<string[]> {
  return (yield* all(uploadsOf, { ids: JSON.stringify(ids.map((id) => ({ id }))) })).map((row) => row.id)
}
