import { imageOf, imageType } from '../../image.ts'
import type { Scenario } from '../scenario.ts'
import { pathOf, requireStatus } from '../ask.ts'

/** Blobs and images that come, in every way there is. */
export const pushScenarios: readonly Scenario[] = [
  {
    name: 'a small blob in one request',
    run: async (world) => world.push('a', world.content(100)),
  },
  {
    name: 'a small blob with POST and PUT',
    run: async (world) => world.pushInTwo('a', world.content(100)),
  },
  {
    name: 'an empty blob',
    run: async (world) => world.push('a', world.content(0)),
  },
  {
    name: 'a blob of one byte in chunks',
    run: async (world) => world.pushInChunks('a', world.content(1), 1),
  },
  {
    name: 'a blob of many writes in one request',
    mostAtOnce: 1000,
    run: async (world) => world.push('a', world.content(9500)),
  },
  {
    name: 'a blob of many writes with POST and PUT',
    mostAtOnce: 1000,
    run: async (world) => world.pushInTwo('a', world.content(7500)),
  },
  {
    name: 'a large blob',
    run: async (world) => world.pushInTwo('a', world.content(1_200_000)),
  },
  {
    name: 'a blob in three chunks',
    run: async (world) => world.pushInChunks('a', world.content(3000), 3),
  },
  {
    name: 'a blob in chunks of several writes',
    mostAtOnce: 700,
    run: async (world) => world.pushInChunks('a', world.content(4200), 2),
  },
  {
    name: 'a blob whose last chunk comes with the closing request',
    run: async (world) => {
      const upload = await world.start('a', world.content(2000))
      requireStatus('PATCH', await world.patch(upload, 0, 1500), 202)
      requireStatus('PUT', await world.finish(upload, 1500), 201)
    },
  },
  {
    name: 'a chunk that contradicts its length is taken back',
    run: async (world) => {
      const content = world.content(2000)
      const upload = await world.start('a', content)
      requireStatus('PATCH', await world.patch(upload, 0, 1000), 202)
      const wrong = await world.send('PATCH', upload.location, {
        headers: { 'content-range': '1000-1999', 'content-length': '1000' },
        body: new Blob([content.bytes.subarray(1000, 1500)]).stream(),
      })
      requireStatus('a short PATCH', wrong, 400)
      requireStatus('PATCH', await world.patch(upload, 1000, 2000), 202)
      requireStatus('PUT', await world.finish(upload, 2000), 201)
    },
  },
  {
    name: 'a wrong digest, then the right one',
    run: async (world) => {
      const content = world.content(500)
      const upload = await world.start('a', content)
      requireStatus('PATCH', await world.patch(upload, 0, 500), 202)
      const wrong = await world.send('PUT', `${upload.location}?digest=${world.content(1).digest}`)
      requireStatus('PUT of a wrong digest', wrong, 400)
      requireStatus('PUT', await world.finish(upload, 500), 201)
    },
  },
  {
    name: 'a body that breaks off is gone on with',
    run: async (world) => {
      const content = world.content(2000)
      const upload = await world.start('a', content)
      let sent = false
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (sent) controller.error(new Error('The connection broke.'))
          else controller.enqueue(new Uint8Array(content.bytes.subarray(0, 800)))
          sent = true
        },
      })
      requireStatus('a broken PATCH', await world.send('PATCH', upload.location, { body }), 400)
      const from = (await world.offset(upload)) ?? 0
      requireStatus('PUT', await world.finish(upload, from), 201)
    },
  },
  {
    name: 'the same digest twice at once',
    run: async (world) => {
      const content = world.content(300)
      await Promise.all([world.push('a', content), world.pushInTwo('a', content)])
    },
  },
  {
    name: 'the same digest at once in two repositories',
    run: async (world) => {
      const content = world.content(300)
      await Promise.all([world.push('a', content), world.push('b', content)])
    },
  },
  {
    name: 'three blobs at once in one directory',
    run: async (world) => {
      const contents = [200, 300, 400].map((size) => world.contentIn('a0', size))
      await Promise.all(contents.map(async (content) => world.push('a', content)))
    },
  },
  {
    name: 'five blobs at once in several repositories',
    run: async (world) => {
      await Promise.all(['a', 'b', 'c', 'd', 'a'].map(async (name) => world.push(name, world.content(100))))
    },
  },
  {
    name: 'a digest that is here, again',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      await world.push('a', content)
    },
  },
  {
    name: 'the first blob of sha512',
    run: async (world) => world.push('a', world.content(200, 'sha512')),
  },
  {
    name: 'the first blobs of sha512, at once',
    run: async (world) => {
      await Promise.all([200, 300].map(async (size) => world.push('a', world.content(size, 'sha512'))))
    },
  },
  {
    name: 'a second blob of sha512 in another directory',
    run: async (world) => {
      await world.push('a', world.content(200, 'sha512'))
      await world.pushInTwo('a', world.content(300, 'sha512'))
    },
  },
  {
    name: 'the first blob of sha384 beside one of sha256',
    run: async (world) => {
      await Promise.all([world.push('a', world.content(200, 'sha384')), world.push('a', world.content(200))])
    },
  },
  {
    name: 'a mount, and the source goes',
    run: async (world) => {
      const content = world.content(300)
      await world.push('a', content)
      world.expect({ kind: 'blob', repository: 'b', content, state: 'maybe' })
      const mount = world.send('POST', `/v2/b/blobs/uploads/?mount=${content.digest}&from=a`)
      requireStatus(
        'a mount',
        await world.expectAfter(mount, () => [{ kind: 'blob', repository: 'b', content, state: 'present' }]),
        201,
      )
      await world.remove('a', content)
      await world.sweep(120_000)
    },
  },
  {
    name: 'an image, and its tag moves',
    run: async (world) => {
      const layer = world.content(300)
      const images = ['one', 'two'].map((name) => imageOf(name, [layer]))
      await world.push('a', layer)
      let before: (typeof images)[number]['manifest'] | undefined
      for (const { config, manifest } of images) {
        await world.push('a', config)
        const tag = { kind: 'tag', repository: 'a', tag: 'latest' } as const
        world.expect({ ...tag, manifests: [before, manifest] })
        const put = world.send('PUT', '/v2/a/manifests/latest', {
          headers: { 'content-type': imageType },
          body: manifest.bytes,
        })
        requireStatus('PUT of a manifest', await world.expectAfter(put, () => [{ ...tag, manifests: [manifest] }]), 201)
        before = manifest
      }
    },
  },
  {
    name: 'uploads that nobody goes on with, beside one that is',
    run: async (world) => {
      const left = await world.start('a', world.content(900))
      requireStatus('PATCH', await world.patch(left, 0, 400), 202)
      const none = await world.send('POST', '/v2/b/blobs/uploads/')
      pathOf(requireStatus('POST', none, 202))
      await world.push('b', world.content(100))
    },
  },
]
