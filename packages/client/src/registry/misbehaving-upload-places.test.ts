import {
  type Behaviour,
  chunkMinLength,
  cutUploadAfter,
  fail,
  hang,
  setHeader,
  statefulUploads,
  uploadLocationOnTrap,
  withoutUploadLocation,
  writeUploadLocation,
} from '@stowage/testkit'
import { describe, expect, it } from 'vitest'
import { bytesContent, type Content } from '../content/content.ts'
import { blobOf, isThere, startRig } from '../testing/misbehaving.ts'
import { fresh, streamed } from '../testing/contract/fresh.ts'

const uploads = { singlePostUpTo: 0 }

describe('an upload', () => {
  it('goes on with each Location that it is given', async () => {
    for (const form of ['absolute', 'path', 'relative'] as const) {
      await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 30_000 } } })
      const bytes = fresh(100_000)
      rig.server.on({}, writeUploadLocation(form))
      rig.server.on({}, statefulUploads())
      rig.server.on({ method: 'PATCH' }, cutUploadAfter(10_000), { skip: 1, times: 1 })
      await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
      await isThere(rig, bytes)
    }
  })

  it('that the registry has lost is begun anew', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(100_000)
    rig.server.on({}, statefulUploads({ afterCut: 'lost' }))
    rig.server.on({ method: 'PATCH' }, cutUploadAfter(10_000), { times: 1 })
    await rig.repository.putBlob(blobOf(bytes).descriptor, streamed(bytes))
    await isThere(rig, bytes)
    expect(rig.server.seen({ method: 'POST' })).toHaveLength(2)
  })

  it('that the registry loses for ever is given up', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(1000)
    rig.server.on({ method: 'PATCH' }, fail(404, { code: 'BLOB_UPLOAD_UNKNOWN' }))
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'not-found',
    })
    expect(rig.server.seen({ method: 'POST' })).toHaveLength(3)
  })

  it('goes nowhere else, and without a place nowhere', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(1000)
    for (const [behaviour, code] of [
      [uploadLocationOnTrap(), 'refused'],
      [withoutUploadLocation(), 'invalid-response'],
      [setHeader('location', 'file:///etc/passwd'), 'refused'],
      [setHeader('location', 'http://[::1'), 'invalid-response'],
      [setHeader('location', 'http://u:p@127.0.0.1/'), 'refused'],
    ] as const) {
      const rule = rig.server.on({ method: 'POST' }, behaviour)
      await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
        code,
      })
      await expect(rig.repository.startUpload()).rejects.toMatchObject({ code })
      rule.remove()
    }
    // Also in the middle.
    rig.server.on({ method: 'PATCH' }, uploadLocationOnTrap())
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'refused',
    })
    expect(rig.server.seen({ origin: 'trap' })).toEqual([])
  })

  it.each([
    ['more than there is', '0-999999'],
    ['more than a number', `0-${'9'.repeat(30)}`],
  ])('does not believe a registry that has %s', async (_, range) => {
    await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 100 } } })
    const bytes = fresh(1000)
    rig.server.on({ method: 'PATCH' }, setHeader('range', range))
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'invalid-response',
    })
  })

  it('does not go on for ever with a registry that gets nowhere', async () => {
    await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 100 } } })
    const bytes = fresh(1000)
    rig.server.on({ path: /uploads/ }, setHeader('range', '0-49'))
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      name: 'ClientError',
    })
    expect(rig.server.seen({ method: 'PATCH' }).length).toBeLessThanOrEqual(12)
  })

  it('finds out where it is when an answer says something else', async () => {
    await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 100 } } })
    const bytes = fresh(1000)
    rig.server.on({ method: 'PATCH' }, setHeader('range', '0-49'))
    await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
    await isThere(rig, bytes)
  })

  it('does without a Range, and with one that cannot be read', async () => {
    for (const range of [undefined, 'nonsense', 'bytes=0-', '5-10', '']) {
      await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 300 } } })
      const bytes = fresh(1000)
      rig.server.on({ method: 'PATCH' }, setHeader('range', range))
      await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
      await isThere(rig, bytes)
    }
  })

  it.each([
    ['700', [700, 300]],
    ['100', [400, 400, 200]],
    ['-5', [400, 400, 200]],
    ['1e9', [400, 400, 200]],
    ['Infinity', [400, 400, 200]],
    ['5000', [1000]],
  ])('has chunks of the length that the registry wants at least: %s', async (least, chunks) => {
    await using rig = await startRig({ host: { uploads: { ...uploads, chunkSize: 400 } } })
    const bytes = fresh(1000)
    rig.server.on({}, chunkMinLength(0))
    rig.server.on({ method: 'POST' }, setHeader('oci-chunk-min-length', least))
    await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))
    await isThere(rig, bytes)
    expect(rig.server.seen({ method: 'PATCH' }).map(({ bodyBytes }) => bodyBytes)).toEqual(chunks)
  })

  it('that hangs is given up, and its cancelling as well', async () => {
    await using rig = await startRig({ host: { uploads, timeouts: { idle: 100, answer: 100 } } })
    const bytes = fresh(1000)
    rig.server.on({ method: ['PATCH', 'DELETE'] }, hang())
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).rejects.toMatchObject({
      code: 'timeout',
    })
  })

  it('is cancelled when it is disposed of, and when the caller stops it in the middle', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(1_000_000)
    {
      await using upload = await rig.repository.startUpload()
      await upload.write(bytesContent(bytes.subarray(0, 10)))
    }
    expect(rig.server.seen({ method: 'DELETE' }).map(({ status }) => status)).toEqual([204])
    rig.server.forget()
    const stop = new AbortController()
    const { descriptor } = blobOf(bytes)
    const putting = rig.repository.putBlob(descriptor, streamed(bytes), {
      signal: stop.signal,
      onProgress: (sent) => {
        if (sent > 100_000) stop.abort()
      },
    })
    await expect(putting).rejects.toMatchObject({ code: 'aborted' })
    expect(rig.server.seen({ method: 'DELETE' }).map(({ status }) => status)).toEqual([204])
  })

  it('is not sent again because its content breaks, which is nobody’s fault here', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(200_000)
    const broken: Content = {
      size: 200_000,
      async *open() {
        yield bytes.subarray(0, 100_000)
        throw new Error('the disk is gone')
      },
    }
    await expect(rig.repository.putBlob(blobOf(bytes).descriptor, broken)).rejects.toMatchObject({
      code: 'invalid-content',
    })
    expect(rig.server.seen({ method: 'PATCH' })).toHaveLength(1)
  })

  it('is begun anew once more when it was resumed and the registry has miscounted', async () => {
    await using rig = await startRig({ host: { uploads } })
    const bytes = fresh(100_000)
    rig.server.on({ method: 'PATCH' }, cutUploadAfter(50_000), { times: 1 })
    // Says 40,000 too few, and takes what comes without looking at where it belongs.
    rig.server.on({ method: 'GET', path: /uploads/ }, setHeader('range', '0-9999'), { times: 1 })
    const careless: Behaviour = async (call, next) => {
      const { 'content-range': _, ...headers } = call.headers
      return next({ ...call, headers })
    }
    rig.server.on({ method: 'PATCH' }, careless)
    expect(await rig.repository.putBlob(blobOf(bytes).descriptor, bytesContent(bytes))).toBe('uploaded')
    await isThere(rig, bytes)
    expect(rig.server.seen({ method: 'POST' })).toHaveLength(2)
  })
})
