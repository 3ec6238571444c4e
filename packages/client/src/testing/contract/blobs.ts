import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../../content/content.ts'
import { collect } from '../../content/pages.ts'
import { readAll } from '../../content/verify.ts'
import type { HostOptions } from '../../transport/hosts.ts'
import { sample } from '../sample-images.ts'
import { allReject, type Contract } from './contract.ts'
import { fresh, streamed } from './fresh.ts'

/** Blobs, whatever their size. */
export const blobContract = (contract: Contract): void => {
  describe('blobs', () => {
    it.each([0, 1, 1000, 70_000, 2_000_000])('of %i bytes go there and come back', async (size) => {
      const repository = contract.repository()
      const { descriptor, bytes } = sample('application/octet-stream', fresh(size))
      expect(await repository.hasBlob(descriptor)).toBe(false)
      const sent: number[] = []
      expect(await repository.putBlob(descriptor, streamed(bytes), { onProgress: (now) => sent.push(now) })).toBe(
        'uploaded',
      )
      if (size > 0) expect(sent.at(-1)).toBe(size)
      expect(await repository.hasBlob(descriptor)).toBe(true)
      expect(await repository.putBlob(descriptor, bytesContent(bytes))).toBe('existing')
      expect(await repository.describeBlob(descriptor.digest)).toMatchObject({ digest: descriptor.digest, size })
      expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e8, 'it'), bytes)).toBe(0)
    })

    it.each<HostOptions>([
      { uploads: { singlePostUpTo: 0 } },
      { uploads: { singlePostUpTo: 0, chunkSize: 64_000 } },
      { uploads: { singlePostUpTo: 10_000_000 } },
      { concurrency: 1 },
    ])('are sent as the host wants it: %j', async (options) => {
      await using other = contract.place().connect(options)
      const repository = contract.repository(other)
      for (const size of [0, 1, 64_000, 200_001]) {
        const { descriptor, bytes } = sample('application/octet-stream', fresh(size))
        const content = size % 2 === 0 ? bytesContent(bytes) : streamed(bytes)
        expect(await repository.putBlob(descriptor, content)).toBe('uploaded')
        expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e8, 'it'), bytes)).toBe(0)
      }
    })

    it('may come from where nobody knows their length', async () => {
      const repository = contract.repository()
      for (const size of [0, 5, 100_000]) {
        const { descriptor, bytes } = sample('application/octet-stream', fresh(size))
        const content: Content = { size: undefined, open: (options) => streamed(bytes).open(options) }
        expect(await repository.putBlob(descriptor, content, { absent: true })).toBe('uploaded')
        expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e8, 'it'), bytes)).toBe(0)
      }
    })

    it('give their bytes from any place on', async () => {
      const repository = contract.repository()
      const { descriptor, bytes } = sample('application/octet-stream', fresh(100_000))
      await repository.putBlob(descriptor, bytesContent(bytes))
      for (const offset of [0, 1, 50_000, 99_999, 100_000]) {
        const part = await readAll(repository.getBlobFrom(descriptor, offset), 1e8, 'it')
        expect(Buffer.compare(part, bytes.subarray(offset))).toBe(0)
      }
      for (const offset of [-1, 0.5, Number.NaN]) {
        await expect(collect(repository.getBlobFrom(descriptor, offset))).rejects.toMatchObject({ code: 'usage' })
      }
    })

    it('are never stored under a digest that they have not', async () => {
      const repository = contract.repository()
      const { descriptor } = sample('application/octet-stream', fresh(100_000))
      for (const [wrong, options] of [
        [fresh(100_000), {}],
        [fresh(99_999), {}],
        [fresh(100_001), {}],
      ] as const) {
        await expect(repository.putBlob(descriptor, bytesContent(wrong), options)).rejects.toMatchObject({
          code: 'digest-mismatch',
        })
      }
      expect(await repository.hasBlob(descriptor)).toBe(false)
    })

    it('are not given under a length that they have not', async () => {
      const repository = contract.repository()
      const { descriptor, bytes } = sample('application/octet-stream', fresh(1000))
      await repository.putBlob(descriptor, bytesContent(bytes))
      for (const size of [0, 999, 1001]) {
        await expect(collect(repository.getBlob({ ...descriptor, size }))).rejects.toMatchObject({
          code: 'digest-mismatch',
        })
      }
    })

    it('that are not there are not found', async () => {
      const repository = contract.repository()
      const { descriptor } = sample('application/octet-stream', fresh(10))
      await allReject(
        [
          collect(repository.getBlob(descriptor)),
          collect(repository.getBlobFrom(descriptor, 5)),
          repository.describeBlob(descriptor.digest),
          repository.deleteBlob(descriptor.digest),
        ],
        { code: 'not-found' },
      )
    })

    it('are deleted', async () => {
      const repository = contract.repository()
      const { descriptor, bytes } = sample('application/octet-stream', fresh(10))
      await repository.putBlob(descriptor, bytesContent(bytes))
      await repository.deleteBlob(descriptor.digest)
      expect(await repository.hasBlob(descriptor)).toBe(false)
    })

    it('are mounted from another repository, before any byte is sent', async () => {
      const [from, to] = [contract.repository(), contract.repository()]
      const { descriptor, bytes } = sample('application/octet-stream', fresh(1000))
      await from.putBlob(descriptor, bytesContent(bytes))
      const unread: Content = {
        size: 1000,
        open() {
          throw new Error('Nobody is to read this.')
        },
      }
      const mountFrom = [to.repository.name, 'test/nothing', from.repository.name]
      expect(await to.putBlob(descriptor, unread, { mountFrom })).toBe('mounted')
      expect(await to.hasBlob(descriptor)).toBe(true)
      const third = contract.repository()
      expect(await third.mountBlob(descriptor.digest, from.repository.name)).toBe(true)
      expect(await contract.repository().mountBlob(descriptor.digest, 'test/nothing')).toBe(false)
      await expect(third.mountBlob(descriptor.digest, '../x?a')).rejects.toMatchObject({ code: 'usage' })
      const other = sample('application/octet-stream', fresh(1000))
      expect(await third.putBlob(other.descriptor, bytesContent(other.bytes), { mountFrom })).toBe('uploaded')
    })
  })
}
