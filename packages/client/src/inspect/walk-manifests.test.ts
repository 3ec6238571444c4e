import { digestOf, type Descriptor, mediaTypes } from '@stowage/oci'
import { expect, it } from 'vitest'
import { collect } from '../content/pages.ts'
import type { Source } from '../content/ports.ts'
import { defaultHash } from '../hash.ts'
import { createMemoryTarget } from '../memory/memory-target.ts'
import { sampleImage } from '../testing/sample-images.ts'
import { walkManifests } from './walk-manifests.ts'

it('stops where manifests are more than fit into memory together', async () => {
  const size = 4 * 1024 * 1024
  const child = (at: number): Descriptor => ({
    mediaType: mediaTypes.ociImageManifest,
    digest: digestOf(Buffer.from(String(at)), defaultHash),
    size,
  })
  const manifests = Array.from({ length: 100 }, (_, at) => child(at))
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociImageIndex, manifests }))
  const root = { mediaType: mediaTypes.ociImageIndex, digest: digestOf(index, defaultHash), size: index.byteLength }
  let asked = 0
  const source: Source = {
    ...createMemoryTarget(),
    getManifest: async ({ digest }) => {
      asked++
      return digest === root.digest ? index : sampleImage({ layers: [] }).bytes
    },
  }
  await expect(collect(walkManifests(source, root))).rejects.toMatchObject({ code: 'invalid-content' })
  expect(asked).toBeLessThan(80)
})
