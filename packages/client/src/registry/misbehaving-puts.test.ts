import {
  cutUploadAfter,
  fail,
  loseAnswer,
  loseRequest,
  sample as samples,
  setHeader,
  withoutMount,
  withoutSinglePost,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { readAll } from '../content/verify.ts'
import { blobOf, isThere, startRig } from '../testing/misbehaving.ts'
import { fresh } from '../testing/contract/fresh.ts'

const uploads = { singlePostUpTo: 0 }

describe('a blob in one POST', () => {
  it('goes another way where that is not known, and is not tried again', async () => {
    await using rig = await startRig()
    rig.server.on({}, withoutSinglePost())
    for (let count = 0; count < 3; count++) {
      const bytes = fresh(1000)
      await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
      await isThere(rig, bytes)
    }
    expect(rig.server.seen({ method: 'POST', path: /digest=/ })).toHaveLength(1)
    expect(rig.server.seen({ method: 'DELETE' })).toEqual([])
    // The closing request has it all: no chunk is sent for a kilobyte.
    expect(rig.server.seen({ method: 'PATCH' })).toEqual([])
    expect(rig.server.seen({ method: 'PUT' })).toHaveLength(3)
  })

  it.each([loseRequest(), loseAnswer(), fail(500), cutUploadAfter(500)])(
    'is sent again with the closing request, too',
    async (behaviour) => {
      await using rig = await startRig()
      const bytes = fresh(1000)
      rig.server.on({}, withoutSinglePost())
      rig.server.on({ method: 'PUT' }, behaviour, { times: 2 })
      expect(await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).toBe('uploaded')
      await isThere(rig, bytes)
    },
  )

  it.each([loseRequest(), loseAnswer(), fail(500), fail(429, { leavesRequest: true }), cutUploadAfter(500)])(
    'is sent again when it is not known what became of it',
    async (behaviour) => {
      await using rig = await startRig()
      const bytes = fresh(1000)
      rig.server.on({ method: 'POST' }, behaviour, { times: 2 })
      expect(await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).toBe('uploaded')
      await isThere(rig, bytes)
    },
  )
})

it('a blob of another length is not there, and is sent', async () => {
  await using rig = await startRig()
  const bytes = fresh(1000)
  const { descriptor } = blobOf(bytes)
  await rig.repository.putBlob(descriptor, bytesContent(bytes))
  for (const length of ['999', '0']) {
    rig.server.on({ method: 'HEAD' }, setHeader('content-length', length), { times: 2 })
    expect(await rig.repository.hasBlob(descriptor)).toBe(false)
    expect(await rig.repository.putBlob(descriptor, bytesContent(bytes))).toBe('uploaded')
  }
  rig.server.on({ method: 'HEAD' }, setHeader('content-length', undefined))
  expect(await rig.repository.hasBlob(descriptor)).toBe(true)
})

describe('a mount', () => {
  it.each([202, 404, 405] as const)(
    'that the registry does not know is no mount, and leaves no upload (%i)',
    async (status) => {
      await using rig = await startRig()
      const bytes = fresh(1000)
      await samples.pushBlob(rig.server, 'test/other', bytes)
      rig.server.on({}, withoutMount(status))
      expect(await rig.repository.mountBlob(blobOf(bytes).descriptor.digest, 'test/other')).toBe(false)
      expect(rig.server.seen({ method: 'DELETE' }).map((seen) => seen.status)).toEqual(status === 202 ? [204] : [])
      expect(
        await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes), { mountFrom: ['test/other'] }),
      ).toBe('uploaded')
    },
  )

  it.each([401, 403, 404])('from where one may not read is no mount, and the blob is sent (%i)', async (status) => {
    await using rig = await startRig()
    const bytes = fresh(1000)
    rig.server.on({ method: 'POST', path: /mount=/ }, fail(status))
    const { descriptor } = blobOf(bytes)
    const options = { mountFrom: ['test/other'] }
    expect(await rig.repository.putBlob(descriptor, bytesContent(bytes), options)).toBe('uploaded')
    await isThere(rig, bytes)
  })

  it('that fails for other reasons is an error', async () => {
    await using rig = await startRig()
    const { digest } = blobOf(fresh(10)).descriptor
    rig.server.on({ method: 'POST' }, fail(429))
    await expect(rig.repository.mountBlob(digest, 'test/other')).rejects.toMatchObject({ code: 'rate-limited' })
    rig.server.on({ method: 'POST' }, fail(500))
    await expect(rig.repository.mountBlob(digest, 'test/other')).rejects.toMatchObject({ code: 'registry-failed' })
  })
})

it('a copy between two places of one registry in a lane of one place does not wait for itself when it is cut', async () => {
  await using rig = await startRig({ host: { uploads } })
  const bytes = fresh(500_000)
  await samples.pushBlob(rig.server, 'test/from', bytes)
  const from = rig.client.repository(`${rig.server.host}/test/from`)
  const { descriptor } = blobOf(bytes)
  rig.server.on({ method: 'PATCH' }, cutUploadAfter(100_000), { times: 3 })
  const content: Content = {
    size: descriptor.size,
    open: ({ offset = 0, signal } = {}) => from.getBlobFrom(descriptor, offset, signal === undefined ? {} : { signal }),
  }
  await rig.repository.putBlob(descriptor, content)
  await isThere(rig, bytes)
  expect((await readAll(rig.repository.getBlob(descriptor), 1e6, 'it')).byteLength).toBe(500_000)
})
