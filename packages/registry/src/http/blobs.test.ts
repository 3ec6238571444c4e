import { randomBytes } from 'node:crypto'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const bytes = randomBytes(2048)
const digest = sample.sha256(bytes)
const path = `/v2/team/app/blobs/${digest}`

describe.each(doors)('blobs through $name', ({ open }) => {
  let door: OpenDoor

  beforeEach(async () => {
    door = await open()
    await sample.pushBlob(door, 'team/app', bytes)
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  it.each(['', '/'])('serves a blob, with %j at the end of its path', async (end) => {
    const answer = await door.send('GET', path + end)
    expect(answer.status).toBe(200)
    expect(Buffer.from(answer.bytes).equals(bytes)).toBe(true)
    expect(answer.header('content-type')).toBe('application/octet-stream')
    expect(answer.header('content-length')).toBe('2048')
    expect(answer.header('docker-content-digest')).toBe(digest)
    expect(answer.header('accept-ranges')).toBe('bytes')
    expect(answer.header('x-content-type-options')).toBe('nosniff')
    expect(answer.header('content-security-policy')).toContain('sandbox')
    expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0')
  })

  it('answers HEAD with the size and no body', async () => {
    const answer = await door.send('HEAD', path)
    expect([answer.status, answer.header('content-length'), answer.header('docker-content-digest')]).toEqual([
      200,
      '2048',
      digest,
    ])
    expect(answer.bytes.byteLength).toBe(0)
  })

  it.each([
    ['bytes=500-1499', 500, 1500],
    ['bytes=500-', 500, 2048],
    ['bytes=-500', 1548, 2048],
    ['bytes=2000-5000', 2000, 2048],
  ])('serves %s', async (range, start, end) => {
    const answer = await door.send('GET', path, { headers: { range } })
    expect(answer.status).toBe(206)
    expect(answer.header('content-range')).toBe(`bytes ${start}-${end - 1}/2048`)
    expect(answer.header('content-length')).toBe(String(end - start))
    expect(Buffer.from(answer.bytes).equals(bytes.subarray(start, end))).toBe(true)
  })

  it.each(['bytes=5000-10000', 'bytes=500-0'])('answers 416 to %s', async (range) => {
    const answer = await door.send('GET', path, { headers: { range } })
    expect([answer.status, answer.header('content-range')]).toEqual([416, 'bytes */2048'])
  })

  it('sends the whole for several ranges, and for an If-Range of something else', async () => {
    expect((await door.send('GET', path, { headers: { range: 'bytes=0-0,5-9' } })).status).toBe(200)
    expect((await door.send('GET', path, { headers: { range: 'bytes=0-0', 'if-range': '"other"' } })).status).toBe(200)
    expect((await door.send('GET', path, { headers: { range: 'bytes=0-0', 'if-range': `"${digest}"` } })).status).toBe(
      206,
    )
  })

  it.each([`"${digest}"`, `W/"${digest}"`, `"x", "${digest}"`, '*'])('answers 304 to If-None-Match %s', async (tag) => {
    const answer = await door.send('GET', path, { headers: { 'if-none-match': tag } })
    expect([answer.status, answer.header('etag'), answer.bytes.byteLength]).toEqual([304, `"${digest}"`, 0])
  })

  it('streams a blob larger than any buffer', async () => {
    const large = randomBytes(5 * 1024 * 1024 + 17)
    await sample.pushBlob(door, 'team/app', large)
    const answer = await door.send('GET', `/v2/team/app/blobs/${sample.sha256(large)}`)
    expect(answer.header('content-length')).toBe(String(large.length))
    expect(sample.sha256(answer.bytes)).toBe(sample.sha256(large))
  })

  it('shows a blob only in repositories that link it', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      expect((await door.send(method, path.replace('team/app', 'team/other'))).status).toBe(404)
    }
    expect((await door.send('GET', path.replace('team/app', 'never/seen'))).json()).toMatchObject({
      errors: [{ code: 'BLOB_UNKNOWN' }],
    })
  })

  it('deletes from one repository and not from another', async () => {
    await sample.pushBlob(door, 'team/other', bytes)
    expect((await door.send('DELETE', path)).status).toBe(202)
    expect((await door.send('GET', path)).status).toBe(404)
    expect((await door.send('HEAD', path)).status).toBe(404)
    expect((await door.send('DELETE', path)).status).toBe(404)
    expect((await door.send('GET', path.replace('team/app', 'team/other'))).status).toBe(200)
  })

  it('keeps a blob that a manifest needs', async () => {
    const image = sample.image('kept')
    await sample.pushImage(door, 'team/app', 'latest', image)
    const answer = await door.send('DELETE', `/v2/team/app/blobs/${image.layer.digest}`)
    expect(answer.status).toBe(405)
    expect(answer.header('allow')).not.toBeNull()
    expect(answer.json()).toMatchObject({ errors: [{ code: 'DENIED', detail: { manifest: image.digest } }] })
    await door.send('DELETE', `/v2/team/app/manifests/${image.digest}`)
    expect((await door.send('DELETE', `/v2/team/app/blobs/${image.layer.digest}`)).status).toBe(202)
  })

  it.each(['sha256:abc', 'latest', 'md5:d41d8cd98f00b204e9800998ecf8427e', `sha256:${'A'.repeat(64)}`])(
    'refuses the digest %s',
    async (bad) => {
      const answer = await door.send('GET', `/v2/team/app/blobs/${bad}`)
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({ errors: [{ code: 'DIGEST_INVALID' }] })
    },
  )
})
