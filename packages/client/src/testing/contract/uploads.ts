import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../../content/content.ts'
import { readAll } from '../../content/verify.ts'
import { sample } from '../sample-images.ts'
import type { Contract } from './contract.ts'
import { fresh, streamed } from './fresh.ts'

/** Uploads as values. */
export const uploadContract = (contract: Contract): void => {
  describe('an upload', () => {
    it('goes on chunk by chunk, and in another process', async () => {
      const repository = contract.repository()
      const { descriptor, bytes } = sample('application/octet-stream', fresh(300_000))
      let token: string
      {
        const upload = await repository.startUpload()
        expect(upload.offset).toBe(0)
        const offsets: number[] = []
        const stopped = Object.assign(new Error('enough'), { name: 'Enough' })
        const half: Content = {
          size: 300_000,
          async *open({ offset = 0 } = {}) {
            let at = offset
            for await (const chunk of streamed(bytes).open({ offset })) {
              if (at >= 150_000) throw stopped
              at += chunk.byteLength
              yield chunk
            }
          },
        }
        await expect(
          upload.write(half, { chunkSize: 50_000, onProgress: (offset) => offsets.push(offset) }),
        ).rejects.toMatchObject({ cause: stopped })
        expect(offsets.at(-1)).toBe(150_000)
        expect(upload.offset).toBe(150_000)
        token = upload.token
      }
      await using another = contract.place().connect()
      const upload = await another
        .repository(`${contract.place().registry}/${repository.repository.name}`)
        .resumeUpload(token)
      expect(upload.offset).toBe(150_000)
      expect(await upload.status()).toBe(150_000)
      const rest: Content = {
        size: 300_000,
        open: ({ offset = 0 } = {}) => {
          if (offset < 150_000) throw new Error('Nobody is to read this again.')
          return streamed(bytes).open({ offset })
        },
      }
      await upload.write(rest, { chunkSize: 100_000 })
      await upload.commit(descriptor.digest)
      expect(Buffer.compare(await readAll(repository.getBlob(descriptor), 1e8, 'it'), bytes)).toBe(0)
    })

    it('is gone when it is cancelled, or disposed of', async () => {
      const repository = contract.repository()
      const cancelled = await repository.startUpload()
      await cancelled.write(bytesContent(fresh(10)))
      await cancelled.cancel()
      await expect(repository.resumeUpload(cancelled.token)).rejects.toMatchObject({ code: 'not-found' })
      let token = ''
      {
        await using upload = await repository.startUpload()
        await upload.write(bytesContent(fresh(10)))
        token = upload.token
      }
      await expect(repository.resumeUpload(token)).rejects.toMatchObject({ code: 'not-found' })
    })

    it('is not gone for good, and stores nothing, when its digest is wrong', async () => {
      const repository = contract.repository()
      await using upload = await repository.startUpload()
      await upload.write(bytesContent(fresh(10)))
      const { descriptor } = sample('application/octet-stream', fresh(10))
      await expect(upload.commit(descriptor.digest)).rejects.toMatchObject({ code: 'digest-mismatch' })
      expect(await repository.hasBlob(descriptor)).toBe(false)
    })

    it('is not resumed from what is no token, or that of somebody else', async () => {
      const repository = contract.repository()
      await using upload = await repository.startUpload()
      const { token } = upload
      const elsewhere = JSON.stringify({ ...(JSON.parse(token) as object), location: 'https://evil.example/v2/' })
      for (const wrong of ['', 'null', '{}', '5', token.slice(1), elsewhere]) {
        await expect(repository.resumeUpload(wrong)).rejects.toMatchObject({ code: 'usage' })
      }
      await expect(contract.repository().resumeUpload(token)).rejects.toMatchObject({ code: 'usage' })
    })

    it.each([0, -1, 0.5, Number.NaN])('has no chunks of %d bytes', async (chunkSize) => {
      await using upload = await contract.repository().startUpload()
      await expect(upload.write(bytesContent(fresh(10)), { chunkSize })).rejects.toMatchObject({ code: 'usage' })
    })
  })
}
