import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Digest } from '@stowage/oci'
import { parseDigest } from '@stowage/oci'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import type { Grant, Quota } from '../../access/grant.ts'
import type { MetadataStore, PutManifest } from '../metadata-store.ts'
import { sqliteMetadata } from '../sqlite/sqlite-metadata.ts'

const directory = mkdtempSync(join(tmpdir(), 'stowage-usage-'))
afterAll(() => rmSync(directory, { recursive: true }))

const digestOf = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`)
/** What bytes have a digest, so what size, never changes. */
const sizeOf = (number: number): number => 10 ** number

const manifestOf = (repository: string, number: number, tags: readonly string[]): PutManifest => ({
  repository,
  digest: digestOf(10 + number),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  bytes: new Uint8Array(number + 1),
  tags,
  references: [{ digest: digestOf(number), role: 'layer' }],
  requiredBlobs: number === 0 ? [] : [digestOf(number)],
  requiredManifests: [],
  facts: { kind: 'image', contentSize: 0, platforms: [], annotations: {} },
  at: 1,
})

const repository = fc.constantFrom('a', 'a/b', 'c')
const number = fc.nat(3)
const actor = fc.constantFrom('ann', 'bob', 'Zoë')

const quota: fc.Arbitrary<Quota> = fc.oneof(
  fc.record({ kind: fc.constant('repositories'), glob: fc.constantFrom('a', 'a*', '*'), bytes: fc.nat(3000) }),
  fc.record({ kind: fc.constant('actor'), actor, bytes: fc.nat(3000) }),
)

const grant: fc.Arbitrary<Grant> = fc.record({
  actor,
  action: fc.constant('push'),
  repository: fc.constant(undefined),
  overwriteTags: fc.boolean(),
  immutableTags: fc.constantFrom([], ['v1']),
  quotas: fc.array(quota, { maxLength: 2 }),
})

const write = fc.record({
  kind: fc.constantFrom('finish', 'mount', 'unlink', 'put', 'remove', 'remove tag'),
  repository,
  number,
  tag: fc.constantFrom('v1', 'latest'),
  evenIfUsed: fc.boolean(),
  grant,
})
type Write = typeof write extends fc.Arbitrary<infer Value> ? Value : never

let keys = 0

const apply = async (store: MetadataStore, { kind, repository: name, grant: given, ...rest }: Write) => {
  const target = { repository: name, digest: digestOf(rest.number), at: 1 }
  const manifest = { ...target, digest: digestOf(10 + rest.number) }
  switch (kind) {
    case 'finish':
      keys += 1
      return store.finishUpload({ ...target, size: sizeOf(rest.number), key: `key ${keys}` }, given)
    case 'mount':
      return store.mountBlob({ ...target, readable: { kind: 'all' } }, given)
    case 'unlink':
      return store.unlinkBlob({ ...target, evenIfUsed: rest.evenIfUsed }, given)
    case 'put':
      return store.putManifest(manifestOf(name, rest.number, [rest.tag]), given)
    case 'remove':
      return store.deleteManifest({ ...manifest, tags: ['v1', 'latest'] }, given)
    case 'remove tag':
      return store.deleteTag({ repository: name, tag: rest.tag, at: 1 }, given)
  }
  return undefined
}

const added = `
  select repository_id, linked_by as actor, b.size from repository_blobs l join blobs b on b.digest = l.digest
  union all select repository_id, pushed_by, size from manifests`
const ofActors = {
  counted: `select actor, bytes from (select actor, cast(sum(stored_bytes) as bigint) as bytes from actor_usage group by actor) u where bytes <> 0 order by actor`,
  added: `select actor, sum(size) as bytes from (${added}) group by actor order by actor`,
}
const ofRepositories = {
  counted: `select name, stored_bytes as bytes from repositories order by name`,
  added: `select name, coalesce(sum(size), 0) as bytes from repositories left join (${added}) on repository_id = id
    group by name order by name`,
}

it('counters are what adding up gives, after every history', async () => {
  let histories = 0
  let limited = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), async (history) => {
      histories += 1
      const path = join(directory, `${histories}.db`)
      await using store = await sqliteMetadata({ path })
      using database = new DatabaseSync(path, { readOnly: true })
      const rows = (sql: string) => database.prepare(sql).all()
      for (const batch of history) {
        // What comes at once shares a transaction: one that is undone must not touch its neighbours.
        const results = await Promise.all(batch.map((each) => apply(store, each)))
        limited += results.filter((result) => result?.outcome === 'over-quota').length
        expect(rows(ofActors.counted)).toEqual(rows(ofActors.added))
        expect(rows(ofRepositories.counted)).toEqual(rows(ofRepositories.added))
      }
      // A write that added something has kept the limits that were given to it.
      const last = history.at(-1)?.at(-1)
      if (last === undefined) return
      const before = await Promise.all((last.grant.quotas ?? []).map((each) => store.usage(each)))
      await apply(store, last)
      for (const [index, each] of (last.grant.quotas ?? []).entries()) {
        const ownQuota = each.kind === 'repositories' || each.actor === last.grant.actor
        const after = await store.usage(each)
        if (ownQuota && after > (before[index] ?? 0)) expect(after).toBeLessThanOrEqual(each.bytes)
      }
    }),
    { numRuns: 60 },
  )
  expect(limited).toBeGreaterThan(0)
})
