import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { MetadataProblem } from '../upkeep-store.ts'

/** See `unused.ts` for the rule. */
const wronglyQueuedLinks = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('repository_blobs as l')
    .innerJoin('repositories as r', 'r.id', 'l.repository_id')
    .select(['r.name as repository', 'l.digest', 'l.unused_since as unusedSince'])
    .where((eb) => {
      const used = eb.exists(
        eb
          .selectFrom('manifest_references as f')
          .select('f.digest')
          .whereRef('f.repository_id', '=', 'l.repository_id')
          .whereRef('f.digest', '=', 'l.digest'),
      )
      return eb.or([
        eb.and([eb('l.unused_since', 'is', null), eb.not(used)]),
        eb.and([eb('l.unused_since', 'is not', null), used]),
      ])
    })
    .limit(p.limit),
)

/** See `untagged.ts`. */
const wronglyQueuedManifests = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.name as repository', 'm.digest', 'm.untagged_since as untaggedSince'])
    .where((eb) => {
      const tagged = eb.exists(
        eb
          .selectFrom('tags as t')
          .select('t.name')
          .whereRef('t.repository_id', '=', 'm.repository_id')
          .whereRef('t.digest', '=', 'm.digest'),
      )
      return eb.or([
        eb.and([eb('m.untagged_since', 'is', null), eb.not(tagged)]),
        eb.and([eb('m.untagged_since', 'is not', null), tagged]),
      ])
    })
    .limit(p.limit),
)

export function* inspectQueues(limit: number): Operation<MetadataProblem[]> {
  const found: MetadataProblem[] = []
  for (const { repository, digest, unusedSince } of yield* all(wronglyQueuedLinks, { limit })) {
    const message =
      unusedSince === null
        ? 'No manifest uses the blob, and garbage collection does not know: it would stay for ever.'
        : 'A manifest uses the blob, and it is listed as unused. Garbage collection will look again, and keep it.'
    found.push({ kind: 'unused-wrong', repository, subject: digest, message })
  }
  for (const { repository, digest, untaggedSince } of yield* all(wronglyQueuedManifests, { limit })) {
    const message =
      untaggedSince === null
        ? 'No tag names the manifest, and retention does not know: it would stay for ever.'
        : 'A tag names the manifest, and it is listed as untagged. Retention will look again, and keep it.'
    found.push({ kind: 'untagged-wrong', repository, subject: digest, message })
  }
  return found
}
