import type { Digest } from '@stowage/oci'
import type { Grant, MetadataStore } from '@stowage/registry/metadata'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, digest, manifest, newSchema, openPool } from './testing/server.ts'

/** What bytes have a digest, so what size, never changes. */
const sizeOf = (number: number): number => 10 ** number

const actor = fc.constantFrom('ann', 'bob', 'Zoë')

const write = fc.record({
  kind: fc.constantFrom('finish', 'mount', 'unlink', 'put', 'remove'),
  repository: fc.constantFrom('a', 'a/b', 'c', 'd'),
  number: fc.nat(3),
  actor,
  bytes: fc.nat(3000),
})
type Write = typeof write extends fc.Arbitrary<infer Value> ? Value : never

let keys = 0

const apply = async (store: MetadataStore, { kind, repository, number, ...given }: Write) => {
  const grant: Grant = {
    actor: given.actor,
    action: 'push',
    repository: undefined,
    overwriteTags: true,
    quotas: [
      { kind: 'actor', actor: given.actor, bytes: given.bytes },
      { kind: 'repositories', glob: 'a*', bytes: given.bytes },
      { kind: 'repositories', glob: '*', bytes: 2 * given.bytes },
    ],
  }
  const target: { repository: string; digest: Digest; at: number } = { repository, digest: digest(number), at: 1 }
  switch (kind) {
    case 'finish':
      keys += 1
      return store.finishUpload({ ...target, size: sizeOf(number), key: `key ${keys}` }, grant)
    case 'mount':
      return store.mountBlob({ ...target, readable: { kind: 'all' } }, grant)
    case 'unlink':
      return store.unlinkBlob({ ...target, evenIfUsed: true }, grant)
    case 'put':
      return store.putManifest({ ...manifest(repository, 10 + number), tags: ['x'] }, grant)
    case 'remove':
      return store.deleteManifest({ ...target, digest: digest(10 + number), tags: ['x'] }, grant)
  }
  return undefined
}

const added = `
  select repository_id, linked_by as actor, b.size from repository_blobs l join blobs b on b.digest = l.digest
  union all select repository_id, pushed_by, size from manifests`
const ofActors = {
  counted: `select actor, bytes from (select actor, cast(sum(stored_bytes) as bigint) as bytes from actor_usage group by actor) u where bytes <> 0 order by actor`,
  added: `select actor, sum(size)::bigint as bytes from (${added}) as added group by actor order by actor`,
}
const ofRepositories = {
  counted: `select name, stored_bytes as bytes from repositories order by name`,
  added: `select name, coalesce(sum(size), 0)::bigint as bytes
    from repositories left join (${added}) as added on repository_id = id group by name order by name`,
}

/** One connection that finds the tables of the schema. */
const poolIn = (schema: string): ReturnType<typeof openPool> =>
  openPool({
    max: 1,
    options: `-c search_path=${`"${schema.replaceAll('"', '""')}"`.replaceAll(' ', String.raw`\ `)}`,
  })

it('counters are what adding up gives, whatever happens at once', async () => {
  let limited = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(write, { minLength: 4, maxLength: 16 }), { minLength: 1, maxLength: 5 }),
      async (history) => {
        const schema = newSchema()
        await using store = await postgresMetadata({ connectionString, schema })
        await using pool = poolIn(schema)
        const rows = async (sql: string) => (await pool.query<object>(sql)).rows
        for (const batch of history) {
          // One batch after the other; what is in a batch comes at once.
          const results = await Promise.all(batch.map((each) => apply(store, each)))
          limited += results.filter((result) => result?.outcome === 'over-quota').length
          expect(await rows(ofActors.counted)).toEqual(await rows(ofActors.added))
          expect(await rows(ofRepositories.counted)).toEqual(await rows(ofRepositories.added))
        }
      },
    ),
    { numRuns: 25 },
  )
  expect(limited).toBeGreaterThan(0)
})

it('lets pushes of one actor to several repositories go on side by side', async () => {
  const schema = newSchema()
  await using store = await postgresMetadata({ connectionString, schema })
  await using pool = poolIn(schema)
  const grant: Grant = { actor: 'ann', action: 'push', repository: undefined, overwriteTags: true }
  const push = async (repository: string, number: number) =>
    store.finishUpload({ repository, digest: digest(number), size: 1, key: `side ${repository}`, at: 1 }, grant)
  await push('one', 1)
  await push('two', 2)
  // Another push of hers to one of them, which does not come to its end.
  await pool.query('begin')
  await pool.query(`select id from repositories where name = 'one' for update`)
  await pool.query(`update actor_usage set stored_bytes = stored_bytes where actor = 'ann'
    and repository_id = (select id from repositories where name = 'one')`)
  expect(await push('two', 3)).toEqual({ outcome: 'linked' })
  await pool.query('rollback')
})
