import type { MetadataStore, PutManifest } from '@stowage/registry/metadata'
import { upkeepOf } from '@stowage/registry/metadata'
import { DatabaseError } from 'pg'
import { expect, it } from 'vitest'
import { createPostgresCompiler } from './compiler.ts'
import { postgresMetadata } from './postgres-metadata.ts'
import { connectionString, digest, manifest, newSchema, openPool, push } from './testing/server.ts'

/** Blobs that every image has some of, so that repositories share their rows. */
const blobs = Array.from({ length: 12 }, (_, number) => number + 1)
const repositories = ['a', 'b/c', 'd', 'e']

const some = (seed: number): number[] => blobs.filter((blob) => (seed * 7 + blob * 5) % 3 !== 0)

const image = (repository: string, number: number): PutManifest => ({
  ...manifest(repository, 1000 + number),
  references: some(number).map((blob) => ({ digest: digest(blob), role: 'layer' })),
  requiredBlobs: some(number).map(digest),
})

const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item)

/** A pool that remembers what its server refused, also what the store then tried again. */
const watchedPool = (codes: string[]) => {
  const pool = openPool({ max: 12 })
  pool.on('connect', (client) => {
    const query = client.query.bind(client)
    const watched = (...args: Parameters<typeof query>): unknown => {
      const result: unknown = query(...args)
      if (result instanceof Promise) {
        result.catch((error: unknown) => codes.push(error instanceof DatabaseError ? `${error.code}` : String(error)))
      }
      return result
    }
    client.query = watched as typeof client.query
  })
  return pool
}

it('collections of two processes, pushes, mounts and deletions at the same time: no image breaks, and nobody is refused', async () => {
  const schema = newSchema()
  const codes: string[] = []
  await using pools = new AsyncDisposableStack()
  const stores: MetadataStore[] = []
  for (let count = 0; count < 2; count += 1) {
    const pool = pools.use(watchedPool(codes))
    stores.push(pools.use(await postgresMetadata({ pool, schema })))
  }
  const store = (number: number): MetadataStore => stores[number % 2] as MetadataStore

  let at = 1
  const pushImage = async (number: number): Promise<void> => {
    const repository = repositories[number % repositories.length] as string
    const wanted = image(repository, number)
    for (let tries = 0; ; tries += 1) {
      for (const blob of shuffled(some(number))) {
        const target = { repository, digest: digest(blob), at: (at += 1) }
        if ((await store(number).findBlob(repository, digest(blob))) !== undefined) {
          await store(number).upkeep.touchBlob(repository, digest(blob), at)
        } else if ((await store(number).mountBlob({ ...target, readable: { kind: 'all' } }, push)) === undefined) {
          await store(number).finishUpload({ ...target, size: 10 * blob, key: crypto.randomUUID() }, push)
        }
      }
      const result = await store(number + tries).putManifest({ ...wanted, at: (at += 1) }, push)
      if (result.outcome === 'stored') break
      expect(result.outcome).toBe('missing')
    }
    for (const blob of some(number)) expect(await store(number).findBlob(repository, digest(blob))).toBeDefined()
    const target = { repository, digest: wanted.digest, tags: [], at: (at += 1) }
    expect(await store(number).deleteManifest(target, push)).toMatchObject({ outcome: 'deleted' })
  }

  const pushed = new AbortController()
  let collected = 0
  const collect = async (number: number): Promise<void> => {
    while (!pushed.signal.aborted) {
      const unusedBefore = (at += 1)
      const unused = await store(number).upkeep.listUnusedBlobs({ unusedBefore, limit: 100 })
      for (const [repository, links] of Map.groupBy(unused, (link) => link.repository)) {
        const digests = shuffled(links.map((link) => link.digest))
        const result = await store(number).upkeep.collectBlobs({ repository, digests, unusedBefore, at })
        collected += result.links.length
      }
      // Or no push would come to anything, without any grace.
      await new Promise((resolve) => setTimeout(resolve, 200 * Math.random()))
    }
  }
  const collecting = Promise.all([collect(0), collect(1)])
  try {
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let round = 0; round < 20; round += 1) await pushImage(8 * round + lane)
      }),
    )
  } finally {
    pushed.abort()
    await collecting
  }
  expect(collected).toBeGreaterThan(0)
  expect(codes).toEqual([])

  // Everything goes in the end, and nobody has a byte of it.
  for (const repository of repositories) {
    await store(0).upkeep.collectBlobs({ repository, digests: blobs.map(digest), unusedBefore: at + 1, at })
    expect(await store(0).usage({ kind: 'repositories', glob: repository, bytes: 0 })).toBe(0)
  }
  expect(await store(0).statistics()).toMatchObject({ blobs: 0, blobBytes: 0, manifests: 0 })
  expect(await store(0).usage({ kind: 'actor', actor: push.actor, bytes: 0 })).toBe(0)
})

it('collections of repositories that share all their blobs never wait for each other in a circle', async () => {
  const codes: string[] = []
  await using pool = watchedPool(codes)
  await using store = await postgresMetadata({ pool, schema: newSchema() })
  const digests = Array.from({ length: 50 }, (_, number) => digest(number))
  for (let round = 0; round < 10; round += 1) {
    const target = { size: 1, at: round }
    for (const each of digests) {
      await store.finishUpload({ ...target, repository: 'a', digest: each, key: crypto.randomUUID() }, push)
    }
    await Promise.all(
      repositories.slice(1).map(async (repository) => {
        for (const each of digests) {
          await store.mountBlob({ ...target, repository, digest: each, readable: { kind: 'all' } }, push)
        }
      }),
    )
    const collected = await Promise.all(
      repositories.map(async (repository) =>
        store.upkeep.collectBlobs({ repository, digests: shuffled(digests), unusedBefore: round + 1, at: round }),
      ),
    )
    expect(collected.map(({ links }) => links.length)).toEqual(repositories.map(() => digests.length))
    expect(collected.reduce((sum, { blobs: gone }) => sum + gone, 0)).toBe(digests.length)
  }
  expect(codes).toEqual([])
})

it('finds what is unused along its index, however much is used', async () => {
  const schema = newSchema()
  await using store = await postgresMetadata({ connectionString, schema })
  await using pool = openPool({ max: 1 })
  await pool.query(`set search_path = "${schema.replaceAll('"', '""')}"`)
  await pool.query(`
    insert into repositories (name, created_at) select 'r' || n, 1 from generate_series(1, 50) n;
    insert into blobs (digest, size, key, created_at)
      select 'd' || lpad(n::text, 6, '0'), 1, 'k' || n, 1 from generate_series(1, 20000) n;
    insert into repository_blobs (repository_id, digest, linked_at, unused_since)
      select r.id, b.digest, 1, case when b.digest like '%00' then 5 end
      from repositories r join blobs b on hashtext(b.digest || r.id) % 10 = 0;
    analyze repositories, blobs, repository_blobs`)
  const compile = createPostgresCompiler(schema)
  const explain: Parameters<typeof upkeepOf>[1] = async (operation) => {
    const { value, done } = operation.next([])
    if (done === true) return value
    const compiled = compile(value.statement)
    const { rows } = await pool.query(`explain ${compiled?.sql}`, compiled?.values(value.parameters))
    throw new Error(JSON.stringify(rows))
  }
  const upkeep = upkeepOf(async () => Promise.reject(new Error('It only reads.')), explain)
  const page = { unusedBefore: 9, limit: 100 }
  const after = { unusedSince: 5, repository: 'r7', digest: digest(1) }
  for (const each of [page, { ...page, after }]) {
    await expect(upkeep.listUnusedBlobs(each)).rejects.toThrow(/Index (Only )?Scan using repository_blobs_unused/)
    await expect(upkeep.listUnusedBlobs(each)).rejects.not.toThrow(/Seq Scan on (repository_)?blobs/)
  }
  expect(await store.upkeep.listUnusedBlobs(page)).toHaveLength(100)
})
