import type { Digest } from '@stowage/oci'
import type { StoredManifest } from '@stowage/registry/metadata'
import { expect, it } from 'vitest'
import {
  deletion,
  digest,
  link,
  manifest,
  now,
  push,
  put,
  remove,
  type StoreUnderTest,
  tagged,
  unlink,
  upload,
} from './samples.ts'

const index = 'application/vnd.oci.image.index.v1+json'

export const describeInspection = (store: StoreUnderTest): void => {
  const problems = async () => store().upkeep.inspect(100)

  it('finds nothing in a store that is empty', async () => {
    expect(await problems()).toEqual([])
  })

  it('finds nothing after all that can be done to a store', async () => {
    await store().enrollReceivers(['slow', 'fast'])
    for (const repository of ['a', 'b']) {
      for (const number of [1, 2, 3, 4])
        await link(store(), repository, digest(number), `${repository} ${number}`, number)
      const references = [
        { digest: digest(1), role: 'config' },
        { digest: digest(2), role: 'layer' },
      ] as const
      const image = manifest(repository, `image of ${repository}`, { references, tags: ['one', 'two'] })
      await put(store(), image)
      await put(store(), { ...image, mediaType: index })
      await put(
        store(),
        manifest(repository, `index of ${repository}`, {
          references: [
            { digest: image.digest, role: 'manifest' },
            { digest: digest(99), role: 'manifest' },
          ],
          tags: ['one'],
        }),
        { ...push, actor: 'bob' },
      )
      await put(store(), manifest(repository, 'signature', { subject: image.digest }))
      await tagged(store(), repository, ['three'])
    }
    await store().mountBlob({ repository: 'c', digest: digest(3), readable: { kind: 'all' }, from: 'a', at: now }, push)
    await unlink(store(), 'a', digest(3))
    await remove(store(), 'b', manifest('b', 'image of b').digest)
    await unlink(store(), 'b', digest(2))
    await store().deleteTag({ repository: 'a', tag: 'three', at: now }, deletion)
    await store().createUpload(upload('a', '1'))
    await store().enrollReceivers(['slow'])
    const events = await store().readEvents('slow', 1000)
    await store().acknowledgeEvents('slow', events.at(-1)?.sequence ?? 0)
    expect(await problems()).toEqual([])
  })

  it('notes what is in quarantine', async () => {
    await link(store(), 'a', digest(1), 'k')
    await put(store(), manifest('b', 'wrong', { digest: digest(2) }))
    await store().upkeep.quarantineBlob({ digest: digest(1), key: 'k', at: 5 })
    await store().upkeep.quarantineManifest(digest(2), 5)
    expect(await problems()).toMatchObject([
      { kind: 'blob-quarantined', repository: 'a', subject: digest(1) },
      { kind: 'manifest-quarantined', repository: 'b', subject: digest(2) },
    ])
  })

  it('finds a key that is garbage although a blob has it, and one that two blobs have', async () => {
    await link(store(), 'a', digest(1), 'k')
    await link(store(), 'a', digest(1), 'other')
    await link(store(), 'a', digest(2), 'k')
    expect(await problems()).toMatchObject([{ kind: 'garbage-in-use', subject: digest(2) }])
    await link(store(), 'a', digest(3), 'k')
    expect((await problems()).map(({ kind, subject }) => [kind, subject])).toEqual([
      ['key-shared', 'k'],
      ['garbage-in-use', digest(2)],
      ['garbage-in-use', digest(3)],
    ])
  })

  it('finds counters that do not add up, of a blob that changed its size', async () => {
    await link(store(), 'a', digest(1), 'k', 10)
    await link(store(), 'b', digest(1), 'k again', 11)
    expect(await problems()).toMatchObject([
      { kind: 'usage-wrong', repository: 'a', subject: 'a', message: expect.stringContaining('10') },
      { kind: 'usage-wrong', repository: 'a', subject: 'alice', message: expect.stringContaining('11') },
    ])
  })

  it('finds a receiver that is said to have had what was never written', async () => {
    await store().enrollReceivers(['slow'])
    await store().acknowledgeEvents('slow', 1000)
    expect(await problems()).toMatchObject([{ kind: 'receiver-ahead', subject: 'slow' }])
  })

  it('finds at most as many of each kind as it is asked for', async () => {
    for (let number = 0; number < 5; number += 1) {
      await link(store(), 'a', digest(number), `k${number}`)
      await store().upkeep.quarantineBlob({ digest: digest(number), key: `k${number}`, at: 5 })
    }
    expect(await store().upkeep.inspect(3)).toHaveLength(3)
  })

  it('gives every manifest of a repository with what is kept of it, in pages of any size', async () => {
    const large = 'x'.repeat(700_000)
    await link(store(), 'a', digest(1), 'k')
    await link(store(), 'b', digest(2), 'k2')
    const child = manifest('a', 'child')
    await put(store(), child)
    const wanted = [
      child,
      manifest('a', `${large} 1`),
      manifest('a', `${large} 2`, { subject: digest(9) }),
      manifest('a', `${large} 3`),
      manifest('a', 'references', {
        references: [
          { digest: digest(1), role: 'layer' },
          { digest: digest(2), role: 'layer' },
          { digest: child.digest, role: 'manifest' },
          { digest: child.digest, role: 'layer' },
          { digest: digest(1), role: 'manifest' },
        ],
        facts: { kind: 'image', artifactType: 'a/b', contentSize: 0, platforms: [], annotations: { x: 'y' } },
      }),
    ].toSorted((one, other) => (one.digest < other.digest ? -1 : 1))
    for (const each of wanted) await put(store(), each)
    await put(store(), manifest('b', 'elsewhere'))
    for (const limit of [1, 3, 100]) {
      const found: StoredManifest[] = []
      for (;;) {
        const last: Digest | undefined = found.at(-1)?.digest
        // Each page begins where the one before ended.
        const page = await store().upkeep.listManifests({ repository: 'a', limit, ...(last !== undefined && { last }) })
        if (page.length === 0) break
        expect(page.length).toBeLessThanOrEqual(limit)
        found.push(...page)
      }
      expect(found.map((each) => [each.digest, each.bytes.byteLength, each.subject, each.corrupt])).toEqual(
        wanted.map((each) => [each.digest, each.bytes.byteLength, each.subject, false]),
      )
      const rich = found.find(({ artifactType }) => artifactType === 'a/b')
      expect(rich).toMatchObject({ annotations: '{"x":"y"}', platforms: '[]', mediaType: wanted[0]?.mediaType })
      const held = new Map(rich?.references.map((each) => [`${each.role} ${each.digest}`, each.held]))
      expect(held).toEqual(
        new Map([
          [`layer ${digest(1)}`, true],
          [`layer ${digest(2)}`, false],
          [`manifest ${child.digest}`, true],
          // A manifest is no layer, and a blob that an index lists is held.
          [`layer ${child.digest}`, false],
          [`manifest ${digest(1)}`, true],
        ]),
      )
    }
    expect(await store().upkeep.listManifests({ repository: 'nowhere', limit: 10 })).toEqual([])
  })

  it('knows which uploads have a row', async () => {
    await store().createUpload(upload('a', '1'))
    await store().createUpload(upload('b', '2'))
    expect((await store().upkeep.knownUploads(['2', '3', '1', '4'])).toSorted()).toEqual(['1', '2'])
    expect(await store().upkeep.knownUploads([])).toEqual([])
  })
}
