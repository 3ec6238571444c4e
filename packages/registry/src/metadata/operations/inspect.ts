import type { Operation } from '../operation.ts'
import { all } from '../operation.ts'
import { statement } from '../statement.ts'
import type { MetadataProblem } from '../upkeep-store.ts'
import { inspectEvents } from './inspect-events.ts'
import { inspectQuarantine } from './inspect-quarantine.ts'
import { inspectQueues } from './inspect-queues.ts'
import { inspectUsage } from './inspect-usage.ts'

/*
 * Each question is one statement, and so about one moment: on a store that is written meanwhile nothing is taken for a
 * contradiction that only lies between two of them. None writes, and none collects more than the rows that it gives.
 */

const danglingTags = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('tags as t')
    .innerJoin('repositories as r', 'r.id', 't.repository_id')
    .select(['r.name as repository', 't.name as tag', 't.digest'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('manifests as m')
            .select('m.digest')
            .whereRef('m.repository_id', '=', 't.repository_id')
            .whereRef('m.digest', '=', 't.digest'),
        ),
      ),
    )
    .limit(p.limit),
)

const danglingLinks = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('repository_blobs as l')
    .leftJoin('repositories as r', 'r.id', 'l.repository_id')
    .select(['r.name as repository', 'l.digest'])
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('blobs as b').select('b.digest').whereRef('b.digest', '=', 'l.digest'))),
    )
    .limit(p.limit),
)

const unlinkedBlobs = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('blobs as b')
    .select(['b.digest', 'b.size'])
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('repository_blobs as l').select('l.digest').whereRef('l.digest', '=', 'b.digest')),
      ),
    )
    .limit(p.limit),
)

const manifestsWithoutContent = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('manifests as m')
    .leftJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.name as repository', 'm.digest'])
    .where((eb) =>
      eb.not(
        eb.exists(eb.selectFrom('manifest_contents as c').select('c.digest').whereRef('c.digest', '=', 'm.digest')),
      ),
    )
    .limit(p.limit),
)

const contentWithoutManifests = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('manifest_contents as c')
    .select('c.digest')
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('manifests as m').select('m.digest').whereRef('m.digest', '=', 'c.digest'))),
    )
    .limit(p.limit),
)

const danglingReferences = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('manifest_references as f')
    .leftJoin('repositories as r', 'r.id', 'f.repository_id')
    .select(['r.name as repository', 'f.manifest_digest as digest', 'f.digest as to'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('manifests as m')
            .select('m.digest')
            .whereRef('m.repository_id', '=', 'f.repository_id')
            .whereRef('m.digest', '=', 'f.manifest_digest'),
        ),
      ),
    )
    .limit(p.limit),
)

const sharedKeys = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('blobs')
    .select((eb) => ['key', eb.fn.min('digest').as('one'), eb.fn.max('digest').as('other')])
    .groupBy('key')
    .having((eb) => eb.fn.countAll(), '>', 1)
    .limit(p.limit),
)

const doomedKeys = statement<{ limit: number }>()((db, p) =>
  db
    .selectFrom('blob_garbage as g')
    .innerJoin('blobs as b', 'b.key', 'g.key')
    .select(['b.digest', 'b.key'])
    .limit(p.limit),
)

const at = (repository: string | null): { repository?: string } => (repository === null ? {} : { repository })

export function* inspect(limit: number): Operation<MetadataProblem[]> {
  const found: MetadataProblem[] = []
  for (const { repository, tag, digest } of yield* all(danglingTags, { limit })) {
    const message = `The tag names ${digest}, which the repository does not have.`
    found.push({ kind: 'tag-dangling', repository, subject: tag, message })
  }
  for (const { repository, digest } of yield* all(danglingLinks, { limit })) {
    const message = 'The repository links a blob of which there is no row: nobody knows where its bytes are.'
    found.push({ kind: 'link-dangling', ...at(repository), subject: digest, message })
  }
  for (const { digest, size } of yield* all(unlinkedBlobs, { limit })) {
    const message = `No repository links the blob, and nothing will ever delete it: ${size} bytes.`
    found.push({ kind: 'blob-unlinked', subject: digest, message })
  }
  for (const { repository, digest } of yield* all(manifestsWithoutContent, { limit })) {
    found.push({ kind: 'content-missing', ...at(repository), subject: digest, message: 'The manifest has no bytes.' })
  }
  for (const { digest } of yield* all(contentWithoutManifests, { limit })) {
    const message = 'No repository has a manifest of these bytes, and nothing will ever delete them.'
    found.push({ kind: 'content-unused', subject: digest, message })
  }
  for (const { repository, digest, to } of yield* all(danglingReferences, { limit })) {
    const message = `A reference to ${to} is left of a manifest that the repository does not have.`
    found.push({ kind: 'references-dangling', ...at(repository), subject: digest, message })
  }
  for (const { key, one, other } of yield* all(sharedKeys, { limit })) {
    const message = `Two blobs, ${one} and ${other}, say that their bytes are here: they are those of one of them at most.`
    found.push({ kind: 'key-shared', subject: key, message })
  }
  for (const { digest, key } of yield* all(doomedKeys, { limit })) {
    const message = `The list of garbage has ${key}, where the bytes of this blob are: they will be deleted.`
    found.push({ kind: 'garbage-in-use', subject: digest, message })
  }
  found.push(...(yield* inspectQuarantine(limit)))
  found.push(...(yield* inspectQueues(limit)))
  found.push(...(yield* inspectUsage(limit)))
  found.push(...(yield* inspectEvents(limit)))
  return found
}
