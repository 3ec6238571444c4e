import type { MetadataStore } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import { deletion, digest, everything, manifest, now, push, type StoreUnderTest } from './samples.ts'

/** Whatever happens in whatever order: the times and the counters are what a model of a hundred lines says. */
export const describeGarbageHistories = (store: StoreUnderTest): void => {
  it.each([1, 2, 3, 4, 5, 6])('a random history keeps every time and every counter (seed %i)', async (seed) => {
    const random = randomFrom(seed)
    const model = createModel()
    for (let step = 1; step <= 120; step += 1) {
      const what = await act(store(), model, random, now + step)
      if (step % 10 === 0) expect(await seen(store()), `seed ${seed}, step ${step}: ${what}`).toEqual(expected(model))
    }
  })
}

const names = ['a', 'a/b', 'c']
const actors = ['ann', 'bob']
const blobs = [1, 2, 3, 4]
const tags = ['x', 'y']
/** What each manifest references: blobs, and once what may be a manifest. */
const references: readonly (readonly number[])[] = [[1, 2], [2, 3], [4], [1, 2, 3, 4], []]

const sizeOf = (number: number): number => 10 ** number

const manifestOf = (name: string, number: number, wanted: readonly string[], at: number) =>
  manifest(name, `manifest ${number}`, {
    tags: wanted,
    references: (references[number] ?? []).map((blob) => ({
      digest: digest(blob),
      role: number === 2 ? 'manifest' : 'layer',
    })),
    at,
  })

interface Held {
  readonly by: string
  since: number | null
}

interface Place {
  readonly blobs: Map<number, Held>
  readonly manifests: Map<number, Held>
  readonly tags: Map<string, number>
}

type Model = ReadonlyMap<string, Place>

const createModel = (): Model =>
  new Map(names.map((name) => [name, { blobs: new Map(), manifests: new Map(), tags: new Map() }]))

const isUsed = ({ manifests }: Place, blob: number): boolean =>
  [...manifests.keys()].some((number) => references[number]?.includes(blob))

const isTagged = ({ tags: named }: Place, number: number): boolean => [...named.values()].includes(number)

/** Begins the time of what nothing holds any more, and ends that of what something holds. */
const settle = (place: Place, at: number): void => {
  for (const [blob, held] of place.blobs) held.since = isUsed(place, blob) ? null : (held.since ?? at)
  for (const [number, held] of place.manifests) held.since = isTagged(place, number) ? null : (held.since ?? at)
}

const touch = (held: Held | undefined, at: number): void => {
  if (typeof held?.since === 'number') held.since = Math.max(held.since, at)
}

type Random = (below: number) => number

/** Does something to the store and to the model, and says what. */
const act = async (store: MetadataStore, model: Model, random: Random, at: number): Promise<string> => {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const name = pick(names)
  const place = model.get(name)
  if (place === undefined) throw new Error(`The model has no ${name}.`)
  const [blob, number, tag, actor] = [pick(blobs), random(references.length), pick(tags), pick(actors)]
  const grant = { ...push, actor }
  const link = (): void => {
    const held = place.blobs.get(blob)
    if (held === undefined) place.blobs.set(blob, { by: actor, since: at })
    else touch(held, at)
  }
  const kinds = ['finish', 'finish', 'mount', 'unlink', 'put', 'put', 'remove', 'untag', 'touch', 'collect'] as const
  const kind = pick(kinds)
  switch (kind) {
    case 'finish':
      await store.finishUpload(
        { repository: name, digest: digest(blob), size: sizeOf(blob), key: crypto.randomUUID(), at },
        grant,
      )
      link()
      break
    case 'mount':
      if (await store.mountBlob({ repository: name, digest: digest(blob), readable: everything, at }, grant)) link()
      break
    case 'unlink':
      await store.unlinkBlob({ repository: name, digest: digest(blob), at, evenIfUsed: true }, deletion)
      place.blobs.delete(blob)
      break
    case 'put': {
      const wanted = random(2) === 0 ? [tag] : []
      await store.putManifest(manifestOf(name, number, wanted, at), grant)
      const held = place.manifests.get(number)
      if (held === undefined) place.manifests.set(number, { by: actor, since: at })
      else touch(held, at)
      for (const each of wanted) place.tags.set(each, number)
      break
    }
    case 'remove': {
      const { digest: target } = manifestOf(name, number, [], at)
      await store.deleteManifest({ repository: name, digest: target, tags, at }, deletion)
      place.manifests.delete(number)
      for (const [each, named] of place.tags) if (named === number) place.tags.delete(each)
      break
    }
    case 'untag':
      await store.deleteTag({ repository: name, tag, at }, deletion)
      place.tags.delete(tag)
      break
    case 'touch':
      await store.upkeep.touchBlob(name, digest(blob), at)
      await store.upkeep.touchManifest(name, manifestOf(name, number, [], at).digest, at)
      touch(place.blobs.get(blob), at)
      touch(place.manifests.get(number), at)
      break
    case 'collect': {
      const unusedBefore = at - random(20)
      const doomed = blobs.filter((each) => (place.blobs.get(each)?.since ?? Infinity) < unusedBefore)
      const left = [...model].filter(([other]) => other !== name).flatMap(([, { blobs: held }]) => [...held.keys()])
      const gone = doomed.filter((each) => !left.includes(each))
      const collected = await store.upkeep.collectBlobs({
        repository: name,
        digests: blobs.map(digest),
        unusedBefore,
        at,
      })
      expect(collected).toEqual({
        links: doomed.map(digest),
        blobs: gone.length,
        bytes: gone.reduce((sum, each) => sum + sizeOf(each), 0),
      })
      for (const each of doomed) place.blobs.delete(each)
    }
  }
  settle(place, at)
  return `${kind} in ${name}: blob ${blob}, manifest ${number}, tag ${tag}, by ${actor}`
}

const expected = (model: Model) => ({
  blobs: [...model].flatMap(([name, place]) =>
    blobs.map((blob) => ({ name, blob, since: place.blobs.get(blob)?.since })),
  ),
  manifests: [...model].flatMap(([name, place]) =>
    references.map((_, number) => ({ name, number, since: place.manifests.get(number)?.since })),
  ),
  unused: [...model]
    .flatMap(([name, place]) => [...place.blobs].map(([blob, { since }]) => ({ name, blob, since })))
    .filter(({ since }) => since !== null)
    .map(({ name, blob }) => `${name} ${digest(blob)}`)
    .toSorted(),
  bytes: [
    ...names.map((name) => sum(model, (other) => other === name)),
    ...actors.map((actor) => sum(model, (_, by) => by === actor)),
  ],
})

const sum = (model: Model, counts: (name: string, by: string) => boolean): number => {
  let bytes = 0
  for (const [name, place] of model) {
    for (const [blob, { by }] of place.blobs) if (counts(name, by)) bytes += sizeOf(blob)
    for (const [number, { by }] of place.manifests) {
      if (counts(name, by)) bytes += manifestOf(name, number, [], now).bytes.byteLength
    }
  }
  return bytes
}

const seen = async (store: MetadataStore) => ({
  blobs: await Promise.all(
    names.flatMap((name) =>
      blobs.map(async (blob) => ({ name, blob, since: (await store.findBlob(name, digest(blob)))?.unusedSince })),
    ),
  ),
  manifests: await Promise.all(
    names.flatMap((name) =>
      references.map(async (_, number) => {
        const { digest: target } = manifestOf(name, number, [], now)
        return { name, number, since: (await store.findManifest(name, { digest: target }))?.untaggedSince }
      }),
    ),
  ),
  unused: (await store.upkeep.listUnusedBlobs({ unusedBefore: Number.MAX_SAFE_INTEGER, limit: 1000 }))
    .map((row) => `${row.repository} ${row.digest}`)
    .toSorted(),
  bytes: await Promise.all([
    ...names.map(async (name) => store.usage({ kind: 'repositories', glob: name, bytes: 0 })),
    ...actors.map(async (actor) => store.usage({ kind: 'actor', actor, bytes: 0 })),
  ]),
})

/** mulberry32: small, and the same on every machine. */
const randomFrom = (seed: number): Random => {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
