import { expect, it } from 'vitest'
import type { MetadataStore } from '@stowage/registry/metadata'
import { deletion, digest, link, manifest, now, put, remove, type StoreUnderTest, tagged, unlink } from './samples.ts'

/** What every pull asks is asked several times before each write, so that a store that keeps answers is found out. */
export const describeFreshReads = (store: StoreUnderTest): void => {
  const twice = async <Row>(ask: (store: MetadataStore) => Promise<Row>): Promise<Row> => {
    await ask(store())
    return ask(store())
  }

  it('see a tag that was moved', async () => {
    const first = await tagged(store(), 'a', ['v1'], 'first')
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toMatchObject({ digest: first })
    const second = await tagged(store(), 'a', ['v1'], 'second')
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toMatchObject({ digest: second })
  })

  it('see a media type that a second push changed', async () => {
    const pushed = await tagged(store(), 'a', ['v1'], 'text')
    expect(await twice((from) => from.findManifest('a', { digest: pushed }))).toBeDefined()
    await put(store(), manifest('a', 'text', { mediaType: 'application/vnd.example+json' }))
    expect(await twice((from) => from.findManifest('a', { digest: pushed }))).toMatchObject({
      mediaType: 'application/vnd.example+json',
    })
  })

  it('see that a tag was deleted, and its manifest not', async () => {
    const pushed = await tagged(store(), 'a', ['v1'])
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toBeDefined()
    await store().deleteTag({ repository: 'a', tag: 'v1', at: now }, deletion)
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toBeUndefined()
    expect(await twice((from) => from.findManifest('a', { digest: pushed }))).toBeDefined()
  })

  it('see that a manifest was deleted, and its tags with it', async () => {
    const pushed = await tagged(store(), 'a', ['v1'])
    await tagged(store(), 'b', ['v1'], 'a:v1')
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toBeDefined()
    expect(await twice((from) => from.findManifest('a', { digest: pushed }))).toBeDefined()
    await remove(store(), 'a', pushed)
    expect(await twice((from) => from.findManifest('a', { tag: 'v1' }))).toBeUndefined()
    expect(await twice((from) => from.findManifest('a', { digest: pushed }))).toBeUndefined()
    expect(await twice((from) => from.findManifest('b', { digest: pushed }))).toBeDefined()
  })

  it('see that a blob left a repository, and has another key', async () => {
    await link(store(), 'a', digest(1), 'first')
    await link(store(), 'b', digest(1), 'second')
    expect(await twice((from) => from.findBlob('a', digest(1)))).toMatchObject({ key: 'second' })
    expect(await twice((from) => from.findBlob('b', digest(1)))).toMatchObject({ key: 'second' })
    await unlink(store(), 'a', digest(1))
    expect(await twice((from) => from.findBlob('a', digest(1)))).toBeUndefined()
    expect(await twice((from) => from.findBlob('b', digest(1)))).toMatchObject({ key: 'second' })
    await link(store(), 'c', digest(1), 'third')
    expect(await twice((from) => from.findBlob('b', digest(1)))).toMatchObject({ key: 'third' })
  })
}
