import type { Grant, Quota } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  digest,
  everything,
  manifest,
  now,
  push,
  put,
  remove,
  rounds,
  type StoreUnderTest,
  tagged,
  unlink,
  upload,
} from './samples.ts'

const limited = (actor: string, ...quotas: Quota[]): Grant => ({ ...push, actor, quotas })

export const describeQuotaRaces = (store: StoreUnderTest): void => {
  const outcomes = (results: readonly ({ outcome: string } | undefined)[]): Record<string, number> => {
    const counts: Record<string, number> = {}
    for (const result of results) {
      const outcome = result?.outcome ?? 'nothing'
      counts[outcome] = (counts[outcome] ?? 0) + 1
    }
    return counts
  }

  const finishers = async (place: string, grant: (number: number) => Grant) =>
    Promise.all(
      Array.from({ length: 32 }, (_, number) =>
        store().finishUpload(
          { repository: `${place}/${number}`, digest: digest(number), size: 10, key: `${place} ${number}`, at: now },
          grant(number),
        ),
      ),
    )

  it('32 that finish at once, each in a repository of its own, never pass the limit of all', async () => {
    await rounds(5, async (place) => {
      const quota: Quota = { kind: 'repositories', glob: `${place}/*`, bytes: 105 }
      const results = await finishers(place, (number) => limited(`actor ${number}`, quota))
      expect(outcomes(results)).toEqual({ linked: 10, 'over-quota': 22 })
      expect(await store().usage(quota)).toBe(100)
    })
  })

  it('32 that finish at once for one actor never pass his limit', async () => {
    await rounds(5, async (place) => {
      const quota: Quota = { kind: 'actor', actor: place, bytes: 105 }
      const results = await finishers(place, () => limited(place, quota))
      expect(outcomes(results)).toEqual({ linked: 10, 'over-quota': 22 })
      expect(await store().usage(quota)).toBe(100)
    })
  })

  it('blobs, mounts and manifests that come at once share one limit', async () => {
    await rounds(5, async (place) => {
      const quotas: Quota[] = [
        { kind: 'repositories', glob: `${place}/*`, bytes: 60 },
        { kind: 'repositories', glob: '*', bytes: 1e12 },
        { kind: 'actor', actor: place, bytes: 50 },
      ]
      const grant = limited(place, ...quotas)
      await store().finishUpload({ repository: 'source', digest: digest(1), size: 5, key: place, at: now }, push)
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, number) => {
          const repository = `${place}/${number}`
          const other = digest(100 + number)
          return [
            store().finishUpload({ repository, digest: other, size: 5, key: `${place} ${number}`, at: now }, grant),
            store().mountBlob({ repository, digest: digest(1), from: 'source', readable: everything, at: now }, grant),
            put(store(), manifest(repository, '12345'), grant),
          ]
        }).flat(),
      )
      const { 'over-quota': refused = 0, ...taken } = outcomes(results)
      expect(refused).toBe(26)
      expect(Object.values(taken).reduce((sum, each) => sum + each, 0)).toBe(10)
      expect(await Promise.all(quotas.slice(0, 1).concat(quotas.slice(2)).map(store().usage))).toEqual([50, 50])
    })
  })

  it('a manifest pushed by several actors at once counts for one of them, and for nobody after its end', async () => {
    await rounds(20, async (place) => {
      const wanted = manifest(place, '12345', { tags: ['x'] })
      const actors = ['ann', 'bob', 'cid', 'dan'].map((name) => `${place} ${name}`)
      const usage = async () => Promise.all(actors.map((actor) => store().usage({ kind: 'actor', actor, bytes: 0 })))
      await Promise.all(actors.map((actor) => put(store(), wanted, limited(actor))))
      const [row] = await store().describeTags({ repository: place, limit: 1 })
      expect(await usage()).toEqual(actors.map((actor) => (actor === row?.pushedBy ? 5 : 0)))
      await Promise.all([
        ...actors.map((actor) => put(store(), wanted, limited(actor))),
        remove(store(), place, wanted.digest, ['x']),
      ])
      if ((await store().findManifest(place, { digest: wanted.digest })) !== undefined) {
        await remove(store(), place, wanted.digest, ['x'])
      }
      expect(await usage()).toEqual([0, 0, 0, 0])
      expect(await store().usage({ kind: 'repositories', glob: place, bytes: 0 })).toBe(0)
    })
  })

  it('links and unlinks of one blob in several repositories leave what is there', async () => {
    await rounds(20, async (place, round) => {
      const blob = digest(1000 + round)
      const places = ['a', 'b', 'c'].map((name) => `${place}/${name}`)
      await Promise.all(
        places.flatMap((repository, number) => [
          store().finishUpload({ repository, digest: blob, size: 9, key: `${repository} 1`, at: now }, limited(place)),
          unlink(store(), repository, blob),
          store().mountBlob({ repository, digest: blob, readable: everything, at: now }, limited(place)),
          ...(number === 0 ? [] : [unlink(store(), repository, blob)]),
        ]),
      )
      const links = await Promise.all(places.map((repository) => store().findBlob(repository, blob)))
      const expected = links.filter((link) => link !== undefined).length * 9
      expect(await store().usage({ kind: 'actor', actor: place, bytes: 0 })).toBe(expected)
      expect(await store().usage({ kind: 'repositories', glob: `${place}/*`, bytes: 0 })).toBe(expected)
    })
  })

  it('uploads that begin at once are never more than there may be', async () => {
    await rounds(10, async (place) => {
      const begun = await Promise.all(
        Array.from({ length: 24 }, (_, number) => {
          const row = upload(place, `${place} ${number}`, { actor: `${place} ${number % 2}` })
          return store().createUpload(row, { ofActor: 8, ofAll: 13 })
        }),
      )
      expect(outcomes(begun)).toEqual({ created: 13, 'too-many': 11 })
      const ended = await Promise.all(begun.map((_, number) => store().cancelUpload(place, `${place} ${number}`)))
      expect(ended).toEqual(begun.map(({ outcome }) => outcome === 'created'))
    })
  })

  it('uploads that begin at once in a full house take as many places as they need, each another', async () => {
    await rounds(10, async (place) => {
      const limits = { ofActor: 8, ofAll: 8 }
      const begin = async (id: string, actor: string) => store().createUpload(upload(place, id, { actor }), limits)
      const ids = Array.from({ length: 8 }, (_, number) => `${place} ${number}`)
      for (const id of ids) await begin(id, place)
      const others = Array.from({ length: 12 }, (_, number) => `${place} other ${number}`)
      const begun = await Promise.all(others.map((id) => begin(id, id)))
      // The holder keeps one: no more than anybody else has.
      expect(outcomes(begun)).toEqual({ created: 7, 'too-many': 5 })
      const replaced = begun.flatMap((result) => (result.outcome === 'created' ? [result.replaced?.id] : []))
      expect(new Set(replaced)).toEqual(new Set(ids.slice(0, 7)))
      expect((await store().statistics()).uploads).toBe(8)
      for (const id of [...ids, ...others]) await store().cancelUpload(place, id)
    })
  })

  it('a push of an immutable tag against another: one is there, and stays', async () => {
    await rounds(20, async (place) => {
      const grant: Grant = { ...push, immutableTags: ['v*'] }
      const pushes = ['one', 'two', 'three'].map((text) => manifest(place, `${place} ${text}`, { tags: ['v1'] }))
      const results = await Promise.all(pushes.map((wanted) => put(store(), wanted, grant)))
      expect(outcomes(results)).toEqual({ stored: 1, 'tag-immutable': 2 })
    })
  })

  it('an immutable tag against the deletion of its manifest: the tag has its manifest, or there is neither', async () => {
    const grant: Grant = { ...push, immutableTags: ['v*'] }
    await rounds(20, async (place) => {
      const target = await tagged(store(), place, [], place)
      const [deleted] = await Promise.all([
        store().deleteManifest({ repository: place, digest: target, tags: ['v1'], at: now }, grant),
        put(store(), manifest(place, place, { tags: ['v1'] }), grant),
      ])
      // The push came last and made it anew, or first and holds it.
      expect(['deleted', 'tag-immutable']).toContain(deleted.outcome)
      expect(await store().findManifest(place, { tag: 'v1' })).toMatchObject({ digest: target })
    })
  })
}
