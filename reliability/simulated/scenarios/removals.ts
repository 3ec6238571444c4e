import { imageOf, imageType } from '../../image.ts'
import { filesBelow, type Image } from '../image.ts'
import type { Scenario } from '../scenario.ts'
import { requireStatus } from '../ask.ts'

const afterGrace = 120_000
const twoDays = 48 * 3_600_000

/** The disk with the content of every blob's file changed. */
const spoiled =
  (change: (bytes: Uint8Array) => Uint8Array) =>
  (image: Image): Image => {
    const blobs = new Set(filesBelow(image, 'data', 'blobs').values())
    const files = new Map(image.files)
    for (const [inode, bytes] of files) if (blobs.has(bytes)) files.set(inode, change(bytes))
    return { ...image, files }
  }

const healing = (name: string, damage: (image: Image) => Image): Scenario => ({
  name,
  run: async (world) => {
    const content = world.content(400)
    await world.push('a', content)
    world.expect({ kind: 'blob', repository: 'a', content, state: 'damaged' })
    await world.crash(damage)
    await world.pushInTwo('a', content)
    await world.sweep(afterGrace)
  },
})

/** Content that goes, or that comes back. */
export const removalScenarios: readonly Scenario[] = [
  {
    name: 'a blob is deleted and swept',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.remove('a', content)
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'a blob of sha512 is deleted and swept',
    run: async (world) => {
      const content = world.content(300, 'sha512')
      await world.push('a', content)
      await world.remove('a', content)
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'a blob is deleted and pushed again before its bytes go',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.remove('a', content)
      await world.push('a', content)
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'a blob is deleted, swept and pushed again',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.remove('a', content)
      await world.sweep(afterGrace)
      await world.push('a', content)
    },
  },
  {
    name: 'a sweep while the same digest comes again',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.remove('a', content)
      await Promise.all([world.sweep(afterGrace), world.push('a', content)])
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'a blob is deleted in one of two repositories',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.push('b', content)
      await world.remove('a', content)
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'the bytes that a second push replaced are swept',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.push('b', content)
      await world.sweep(afterGrace)
    },
  },
  {
    name: 'many blobs of one directory are swept',
    run: async (world) => {
      const contents = [100, 200, 300].map((size) => world.contentIn('7e', size))
      for (const content of contents) await world.push('a', content)
      for (const content of contents) await world.remove('a', content)
      await world.sweep(afterGrace)
    },
  },
  healing(
    'a push heals bytes that went bad',
    spoiled((bytes) => bytes.map((byte) => byte ^ 0x20)),
  ),
  healing(
    'a push heals a file that was cut short',
    spoiled((bytes) => bytes.subarray(0, 10)),
  ),
  healing(
    'a push heals a file that was emptied',
    spoiled(() => new Uint8Array(0)),
  ),
  {
    name: 'an upload is cancelled',
    run: async (world) => {
      const upload = await world.start('a', world.content(500))
      requireStatus('PATCH', await world.patch(upload, 0, 300), 202)
      await world.cancel(upload)
    },
  },
  {
    name: 'an upload is cancelled while another is finished',
    run: async (world) => {
      const upload = await world.start('a', world.content(500))
      requireStatus('PATCH', await world.patch(upload, 0, 300), 202)
      await Promise.all([world.cancel(upload), world.pushInChunks('a', world.content(600), 2)])
    },
  },
  {
    name: 'uploads expire',
    run: async (world) => {
      for (const repository of ['a', 'b']) {
        const upload = await world.start(repository, world.content(500))
        requireStatus('PATCH', await world.patch(upload, 0, 300), 202)
      }
      await world.sweep(twoDays)
      await world.sweep(twoDays)
    },
  },
  {
    name: 'an image is deleted, then its blobs',
    run: async (world) => {
      const layer = world.content(300)
      const { config, manifest } = imageOf('gone', [layer])
      for (const content of [layer, config]) await world.push('a', content)
      const headers = { 'content-type': imageType }
      const put = await world.send('PUT', '/v2/a/manifests/latest', { headers, body: manifest.bytes })
      requireStatus('PUT of a manifest', put, 201)
      requireStatus('DELETE', await world.send('DELETE', `/v2/a/manifests/${manifest.digest}`), 202)
      for (const content of [layer, config]) await world.remove('a', content)
      await world.sweep(afterGrace)
    },
  },
]
