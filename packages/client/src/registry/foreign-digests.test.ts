import type { Digest } from '@stowage/oci'
import { describe, expect, it } from 'vitest'
import { bytesContent } from '../content/content.ts'
import { collect } from '../content/pages.ts'
import { startRig } from '../testing/misbehaving.ts'

describe('what is no digest', () => {
  it.each(['sha1:abc', 'x', 'v1', `sha256:${'a'.repeat(64)}?x=1`, undefined, 5])(
    'is asked for by nobody: %s',
    async (foreign) => {
      await using rig = await startRig()
      const { repository } = rig
      const digest = foreign as unknown as Digest
      const descriptor = { mediaType: 'a/b', digest, size: 1 }
      const calls: readonly (() => Promise<unknown>)[] = [
        async () => repository.getManifest(descriptor),
        async () => collect(repository.getBlob(descriptor)),
        async () => collect(repository.getBlobFrom(descriptor, 0)),
        async () => repository.hasManifest(descriptor),
        async () => repository.hasBlob(descriptor),
        async () => repository.describeBlob(digest),
        async () => collect(repository.referrers(digest)),
        async () => repository.putBlob(descriptor, bytesContent(new Uint8Array(1))),
        async () => repository.putManifest(descriptor, new Uint8Array(1)),
        async () => repository.tag(descriptor, 'v1'),
        async () => repository.mountBlob(digest, 'test/other'),
        async () => repository.deleteBlob(digest),
        async () => repository.deleteManifest(digest),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ name: 'ClientError', code: 'usage' })
      expect(rig.server.requests).toEqual([])
    },
  )
})
