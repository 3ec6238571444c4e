import { expect, it } from 'vitest'
import { digest, everything, garbageKeys, manifest, now, push, put, rounds, type StoreUnderTest } from './samples.ts'

/** Garbage collection without any grace, while others push: what was acknowledged stays whole. */
export const describeGarbageRaces = (store: StoreUnderTest): void => {
  const numbers = [1, 2, 3, 4, 5]

  const link = async (repository: string, number: number) =>
    store().finishUpload(
      { repository, digest: digest(number), size: 10 ** number, key: crypto.randomUUID(), at: now },
      push,
    )

  const linkAll = async (repository: string) => Promise.all(numbers.map(async (number) => link(repository, number)))

  const mount = async (repository: string, from: string, number: number) =>
    store().mountBlob({ repository, digest: digest(number), from, readable: everything, at: now }, push)

  const collect = async (repository: string, wanted: readonly number[] = numbers) =>
    store().upkeep.collectBlobs({ repository, digests: wanted.map(digest), unusedBefore: now + 1, at: now })

  const image = (repository: string, text = repository) =>
    manifest(repository, text, {
      references: numbers.map((number) => ({ digest: digest(number), role: 'layer' })),
      requiredBlobs: numbers.map(digest),
    })

  const present = async (repository: string): Promise<number[]> => {
    const found = await Promise.all(numbers.map(async (number) => store().findBlob(repository, digest(number))))
    return numbers.filter((_, index) => found[index] !== undefined)
  }

  /** Every blob that somebody has, has bytes: no key of one is among the garbage. */
  const expectBytes = async (...repositories: string[]): Promise<void> => {
    const garbage = new Set(await garbageKeys(store()))
    for (const repository of repositories) {
      for (const number of numbers) {
        const blob = await store().findBlob(repository, digest(number))
        expect(blob === undefined || !garbage.has(blob.key)).toBe(true)
      }
    }
  }

  it('a manifest is refused, or has all its blobs', async () => {
    const outcomes = new Set<string>()
    await rounds(60, async (place, round) => {
      await linkAll(place)
      const wanted = image(place)
      const both = [async () => put(store(), wanted), async () => collect(place, numbers.toReversed())]
      await Promise.all((round % 2 === 0 ? both : both.toReversed()).map(async (work) => work()))
      const stored = (await store().findManifest(place, { digest: wanted.digest })) !== undefined
      outcomes.add(stored ? 'stored' : 'refused')
      expect(await present(place)).toEqual(stored ? numbers : [])
    })
    expect([...outcomes].toSorted()).toEqual(['refused', 'stored'])
  })

  it('a manifest that was deleted leaves blobs to the one that comes', async () => {
    await rounds(40, async (place) => {
      await linkAll(place)
      const [old, next] = [image(place, `${place} old`), image(place, `${place} next`)]
      await put(store(), old)
      const [, pushed] = await Promise.all([
        store().deleteManifest({ repository: place, digest: old.digest, tags: [], at: now }, push),
        put(store(), next),
        collect(place),
        collect(place, [5, 3, 1]),
      ])
      if (pushed.outcome === 'stored') expect(await present(place)).toEqual(numbers)
      else expect(pushed).toMatchObject({ outcome: 'missing' })
    })
  })

  it('a push that is acknowledged is there, with its own bytes', async () => {
    await rounds(40, async (place) => {
      await linkAll(place)
      const [pushed] = await Promise.all([put(store(), image(place)), linkAll(place), collect(place), collect(place)])
      if (pushed.outcome === 'stored') expect(await present(place)).toEqual(numbers)
      await expectBytes(place)
    })
  })

  it('a mount has a blob with bytes, or is refused', async () => {
    await rounds(40, async (place) => {
      const [from, to] = [`${place}/from`, `${place}/to`]
      await linkAll(from)
      const [mounts] = await Promise.all([
        Promise.all(numbers.map(async (number) => mount(to, from, number))),
        collect(from),
      ])
      expect(await present(to)).toEqual(numbers.filter((_, index) => mounts[index] !== undefined))
      await expectBytes(from, to)
    })
  })

  it('two collections of repositories that share blobs: the bytes go once', async () => {
    await rounds(40, async (place) => {
      const repositories = ['a', 'b', 'c'].map((name) => `${place}/${name}`)
      for (const repository of repositories) await linkAll(repository)
      const before = await store().statistics()
      const collected = await Promise.all(
        repositories.map(async (repository, index) =>
          collect(repository, index % 2 === 0 ? numbers : numbers.toReversed()),
        ),
      )
      expect(collected.map(({ links }) => links)).toEqual(repositories.map(() => numbers.map(digest)))
      expect(collected.reduce((sum, { blobs }) => sum + blobs, 0)).toBe(numbers.length)
      expect((await store().statistics()).blobs).toBe(before.blobs - numbers.length)
    })
  })

  it('two collections of one repository: each link goes once, and is given back once', async () => {
    await rounds(40, async (place) => {
      await linkAll(place)
      const collected = await Promise.all([collect(place), collect(place, numbers.toReversed()), collect(place, [2])])
      expect(collected.flatMap(({ links }) => links).toSorted()).toEqual(numbers.map(digest))
      expect(await store().usage({ kind: 'repositories', glob: place, bytes: 0 })).toBe(0)
    })
  })
}
