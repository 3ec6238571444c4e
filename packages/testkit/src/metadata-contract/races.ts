import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import {
  changes,
  createOnly,
  deletion,
  digest,
  everything,
  garbageKeys,
  link,
  manifest,
  now,
  push,
  put,
  remove,
  rounds,
  sequences,
  type StoreUnderTest,
  tagged,
  unlink,
  upload,
} from './samples.ts'

export const describeRaces = (store: StoreUnderTest): void => {
  it('two first pushes of a tag by those who may not move it: one is stored', async () => {
    await rounds(30, async (place, round) => {
      // Every other time the repository is there already.
      if (round % 2 === 0) await link(store(), place, digest(1), `${place}-key`)
      const pushes = ['one', 'two', 'three'].map((text) => manifest(place, `${place} ${text}`, { tags: ['latest'] }))
      const results = await Promise.all(pushes.map((wanted) => put(store(), wanted, createOnly)))
      const stored = pushes.filter((_, index) => results[index]?.outcome === 'stored')
      expect(results.filter((result) => result.outcome === 'tag-exists')).toHaveLength(2)
      expect(stored).toHaveLength(1)
      expect(await store().findManifest(place, { tag: 'latest' })).toMatchObject({ digest: stored[0]?.digest })
      for (const lost of pushes.filter((wanted) => !stored.includes(wanted))) {
        expect(await store().findManifest(place, { digest: lost.digest })).toBeUndefined()
      }
    })
  })

  it('many pushes of one manifest: one creates it', async () => {
    await store().enrollReceivers(['one'])
    await rounds(20, async (place) => {
      const wanted = manifest(place, 'the same bytes everywhere', { tags: ['x'] })
      const results = await Promise.all(Array.from({ length: 4 }, () => put(store(), wanted)))
      expect(results.filter((result) => result.outcome === 'stored' && result.created)).toHaveLength(1)
      expect(await store().readManifest(place, wanted.digest)).toEqual(wanted.bytes)
    })
  })

  it('delete against put: the manifest is there with its bytes, or gone with its tags', async () => {
    await rounds(30, async (place) => {
      const wanted = manifest(place, place, { tags: ['x', 'y'] })
      await put(store(), wanted)
      const [deleted] = await Promise.all([
        remove(store(), place, wanted.digest, ['x', 'y', 'z']),
        put(store(), { ...wanted, tags: ['y', 'z'] }),
      ])
      expect(deleted.outcome).toBe('deleted')
      const found = await store().findManifest(place, { digest: wanted.digest })
      const tags = await store().listTags({ repository: place, limit: 10 })
      // The put came last, or the delete took all three tags.
      expect(tags).toEqual(found === undefined ? [] : ['y', 'z'])
      expect(await store().readManifest(place, wanted.digest)).toEqual(found && wanted.bytes)
    })
  })

  it('delete in one repository against put in another: shared bytes stay as long as they are needed', async () => {
    await rounds(30, async (place) => {
      const here = manifest(`${place}/here`, place)
      const there = manifest(`${place}/there`, place, { tags: ['x'] })
      await put(store(), here)
      await Promise.all([remove(store(), here.repository, here.digest, []), put(store(), there)])
      expect(await store().readManifest(there.repository, there.digest)).toEqual(there.bytes)
      expect(await store().readManifest(here.repository, here.digest)).toBeUndefined()
    })
  })

  it('delete of a tag against a push of it: one after the other', async () => {
    await rounds(30, async (place) => {
      const first = await tagged(store(), place, ['x'], `${place} first`)
      const second = manifest(place, `${place} second`, { tags: ['x'] })
      const [deleted] = await Promise.all([
        store().deleteTag({ repository: place, tag: 'x', at: now }, deletion),
        put(store(), second),
      ])
      const found = await store().findManifest(place, { tag: 'x' })
      // Whoever came second has the last word.
      if (found === undefined) expect(deleted).toEqual({ outcome: 'deleted', digest: second.digest })
      else {
        expect(found.digest).toBe(second.digest)
        expect(deleted).toEqual({ outcome: 'deleted', digest: first })
      }
    })
  })

  it('finish against cancel and expiry: one of them has the upload, and the blob is there if it was finish', async () => {
    await rounds(30, async (place, round) => {
      const id = `id-${round}`
      await store().createUpload(upload(place, id, { touchedAt: 10 }))
      const finish = { repository: place, uploadId: id, digest: digest(round), size: 7, key: id, at: now }
      const [finished, cancelled, expired, again] = await Promise.all([
        store().finishUpload(finish, push),
        store().cancelUpload(place, id),
        store().expireUpload(id, 20),
        store().finishUpload({ ...finish, key: `${id} again` }, push),
      ])
      const winners = [finished.outcome === 'linked', cancelled, expired, again.outcome === 'linked']
      expect(winners.filter(Boolean)).toHaveLength(1)
      const blob = await store().findBlob(place, digest(round))
      if (cancelled || expired) expect(blob).toBeUndefined()
      else expect(blob).toMatchObject({ key: finished.outcome === 'linked' ? id : `${id} again` })
      expect(await store().findUpload(place, id)).toBeUndefined()
    })
    expect(await garbageKeys(store())).toEqual([])
  })

  it('finish against cancel: either may win', async () => {
    let finishes = 0
    await rounds(10, async (place, round) => {
      const id = `id-${round}`
      await store().createUpload(upload(place, id))
      const finish = () =>
        store().finishUpload(
          { repository: place, uploadId: id, digest: digest(round), size: 7, key: id, at: now },
          push,
        )
      const cancel = () => store().cancelUpload(place, id)
      const settled =
        round % 2 === 0
          ? await Promise.all([finish(), cancel()])
          : (await Promise.all([cancel(), finish()])).toReversed()
      const [finished, cancelled] = settled
      expect(finished).toEqual({ outcome: cancelled === true ? 'upload-unknown' : 'linked' })
      if (cancelled === false) finishes += 1
      expect((await store().findBlob(place, digest(round))) === undefined).toBe(cancelled)
    })
    expect((await store().statistics()).blobs).toBe(finishes)
  })

  it('one digest finished in several repositories: one key wins, the others are garbage, none is lost', async () => {
    const everyKey: string[] = []
    const livingKeys: string[] = []
    await rounds(30, async (place, round) => {
      const repositories = ['a', 'b', 'c'].map((name) => `${place}/${name}`)
      const keys = repositories.map((repository) => `key of ${repository}`)
      everyKey.push(...keys)
      await Promise.all(
        repositories.map((repository, index) => link(store(), repository, digest(round), keys[index] ?? '')),
      )
      const rows = await Promise.all(repositories.map((repository) => store().findBlob(repository, digest(round))))
      const living = new Set(rows.map((row) => row?.key))
      expect(living.size).toBe(1)
      for (const key of living) if (key !== undefined) livingKeys.push(key)
    })
    expect([...livingKeys, ...(await garbageKeys(store()))].toSorted()).toEqual(everyKey.toSorted())
  })

  it('mount against unlink of the source: the blob is mounted and lives, or it is not', async () => {
    await rounds(30, async (place, round) => {
      const [source, target] = [`${place}/source`, `${place}/target`]
      await link(store(), source, digest(round), `key ${round}`)
      const mount = { repository: target, digest: digest(round), from: source, readable: everything, at: now }
      const [mounted, unlinked] = await Promise.all([
        store().mountBlob(mount, push),
        unlink(store(), source, digest(round)),
      ])
      expect(unlinked).toEqual({ outcome: 'deleted' })
      expect(await store().findBlob(source, digest(round))).toBeUndefined()
      const blob = await store().findBlob(target, digest(round))
      const isGarbage = (await garbageKeys(store())).includes(`key ${round}`)
      expect({ blob: blob !== undefined, isGarbage }).toEqual({
        blob: mounted !== undefined,
        isGarbage: mounted === undefined,
      })
    })
  })

  it('push again against unlink: the blob lives under the new key, or every key is garbage', async () => {
    await rounds(30, async (place, round) => {
      const blob = digest(round)
      await link(store(), `${place}/a`, blob, `old ${round}`)
      await Promise.all([
        unlink(store(), `${place}/a`, blob),
        link(store(), `${place}/b`, blob, `new ${round}`),
        unlink(store(), `${place}/b`, blob),
      ])
      const found = await store().findBlob(`${place}/b`, blob)
      const garbage = await garbageKeys(store())
      expect(garbage).toContain(`old ${round}`)
      expect(garbage.includes(`new ${round}`)).toBe(found === undefined)
    })
  })

  it('unlink against put of a manifest that needs the blob: never a manifest without its blob', async () => {
    await rounds(30, async (place, round) => {
      await link(store(), place, digest(round), `key ${round}`)
      const wanted = manifest(place, place, {
        requiredBlobs: [digest(round)],
        references: [{ digest: digest(round), role: 'layer' }],
      })
      const [unlinked, stored] = await Promise.all([unlink(store(), place, digest(round)), put(store(), wanted)])
      if (stored.outcome === 'stored') expect(unlinked).toEqual({ outcome: 'in-use', by: wanted.digest })
      else expect([stored.outcome, unlinked.outcome]).toEqual(['missing', 'deleted'])
    })
  })

  it('list against delete and put: no error and no torn page', async () => {
    const tags = Array.from({ length: 20 }, (_, number) => `t${String(number).padStart(2, '0')}`)
    const [kept, going] = [tags.filter((_, number) => number % 2 === 0), tags.filter((_, number) => number % 2 === 1)]
    await tagged(store(), 'a', kept, 'kept')
    await rounds(10, async () => {
      const gone = await tagged(store(), 'a', going, 'going')
      const [, ...lists] = await Promise.all([
        remove(store(), 'a', gone, going),
        ...Array.from({ length: 6 }, () => store().listTags({ repository: 'a', limit: 100 })),
        ...Array.from({ length: 6 }, async () =>
          (await store().describeTags({ repository: 'a', limit: 100 })).map((row) => row.tag),
        ),
      ])
      // One transaction removed ten tags: a page has all of them or none.
      for (const list of lists) expect([JSON.stringify(tags), JSON.stringify(kept)]).toContain(JSON.stringify(list))
    })
  })

  it('events of many writers are all delivered, each repository in its order', async () => {
    await store().enrollReceivers(['one'])
    const received: { repository: string; tag: string }[] = []
    const seen: number[] = []
    let writing = true
    const receive = async (): Promise<void> => {
      for (;;) {
        const finished = !writing
        const events = await store().readEvents('one', 7)
        seen.push(...sequences(events))
        for (const event of events) if (event.type === 'tag.set') received.push(event)
        const last = events.at(-1)
        if (last !== undefined) await store().acknowledgeEvents('one', last.sequence)
        else if (finished) return
        // Lets the writers on, where a read does not wait for anything.
        else await nextTurn()
      }
    }
    const write = async (repository: string): Promise<void> => {
      for (let number = 10; number < 35; number += 1)
        await tagged(store(), repository, [`t${number}`], `${repository} ${number}`)
    }
    const repositories = ['a', 'b', 'c', 'd', 'e', 'f']
    const receiving = receive()
    await Promise.all(repositories.map(write))
    writing = false
    await receiving
    for (const repository of repositories) {
      const tags = received.filter((event) => event.repository === repository).map((event) => event.tag)
      expect(tags).toEqual(Array.from({ length: 25 }, (_, number) => `t${number + 10}`))
    }
    expect(seen).toEqual([...new Set(seen)].toSorted((left, right) => left - right))
    expect(await changes(store(), 'one')).toEqual([])
  })

  it('pulls that are counted at once add up', async () => {
    const [first, second] = [await tagged(store(), 'a', ['x']), await tagged(store(), 'a', ['y'])]
    const pull = (target: typeof first) => ({ repository: 'a', digest: target, count: 1, lastAt: now })
    await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        store().recordPulls(number % 2 === 0 ? [pull(first), pull(second)] : [pull(second), pull(first)]),
      ),
    )
    const facts = await store().describeTags({ repository: 'a', limit: 10 })
    expect(facts.map((row) => row.pullCount)).toEqual([40, 40])
  })
}
