import { createHash, randomBytes } from 'node:crypto'
import { doors, type OpenDoor, sample } from '@stowage/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const { sha256 } = sample

describe.each(doors)('uploads through $name', ({ open }) => {
  let door: OpenDoor
  let now = Date.UTC(2026, 0, 1)

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1)
    door = await open({ now: () => now })
  })
  afterEach(async () => door[Symbol.asyncDispose]())

  const begin = async (repository = 'a/b'): Promise<string> => {
    const answer = await door.send('POST', `/v2/${repository}/blobs/uploads/`)
    expect(answer.status).toBe(202)
    const location = answer.header('location') ?? ''
    expect(location).toMatch(new RegExp(`^/v2/${repository}/blobs/uploads/[0-9a-f-]{36}$`))
    expect(answer.header('range')).toBe('0-0')
    expect(answer.header('content-length')).toBe('0')
    return location
  }
  const patch = async (location: string, body: Uint8Array | string, range?: string) =>
    door.send('PATCH', location, { body, headers: range === undefined ? {} : { 'content-range': range } })
  const expectBlob = async (bytes: Uint8Array, repository = 'a/b'): Promise<void> => {
    const answer = await door.send('GET', `/v2/${repository}/blobs/${sha256(bytes)}`)
    expect(answer.status).toBe(200)
    expect(sha256(answer.bytes)).toBe(sha256(bytes))
  }
  const expectError = (answer: { status: number; json(): unknown }, status: number, code: string): void => {
    expect([answer.status, (answer.json() as { errors: { code: string }[] }).errors[0]?.code]).toEqual([status, code])
  }

  it('takes a blob in a single POST', async () => {
    const bytes = randomBytes(100_000)
    const answer = await door.send('POST', `/v2/a/b/blobs/uploads/?digest=${sha256(bytes)}`, { body: bytes })
    expect(answer.status).toBe(201)
    expect(answer.header('location')).toBe(`/v2/a/b/blobs/${sha256(bytes)}`)
    expect(answer.header('docker-content-digest')).toBe(sha256(bytes))
    await expectBlob(bytes)
  })

  it('takes a blob in POST and PUT, with and without trailing slashes and an encoded digest', async () => {
    const bytes = randomBytes(70_000)
    const answer = await door.send('POST', '/v2/a/b/blobs/uploads')
    const location = answer.header('location') ?? ''
    const put = await door.send('PUT', `${location}/?digest=${encodeURIComponent(sha256(bytes))}`, { body: bytes })
    expect(put.status).toBe(201)
    await expectBlob(bytes)
  })

  it('takes an empty blob every way', async () => {
    const empty = new Uint8Array()
    const digest = sha256(empty)
    expect((await door.send('POST', `/v2/one/blobs/uploads/?digest=${digest}`, { body: empty })).status).toBe(201)
    expect((await door.send('PUT', `${await begin('two')}?digest=${digest}`)).status).toBe(201)
    await expectBlob(empty, 'one')
    await expectBlob(empty, 'two')
  })

  it('takes 768 chunks of 1 KiB, all sent to the first Location', async () => {
    const bytes = randomBytes(768 * 1024)
    const location = await begin()
    for (let start = 0; start < bytes.length; start += 1024) {
      const range = `${start}-${start + 1023}`
      const answer = await patch(location, bytes.subarray(start, start + 1024), range)
      expect([answer.status, answer.header('range'), answer.header('location')]).toEqual([
        202,
        `0-${start + 1023}`,
        location,
      ])
    }
    expect((await door.send('PUT', `${location}?digest=${sha256(bytes)}`)).status).toBe(201)
    await expectBlob(bytes)
  })

  it('takes a streamed PATCH without a length, as docker push sends it', async () => {
    const bytes = randomBytes(300_000)
    const location = await begin()
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 100_000)
      yield bytes.subarray(100_000)
    }
    const answer = await door.send('PATCH', location, { body: stream() })
    expect([answer.status, answer.header('range')]).toEqual([202, '0-299999'])
    expect((await door.send('PUT', `${location}?digest=${sha256(bytes)}`)).status).toBe(201)
    await expectBlob(bytes)
  })

  it('takes the last chunk in the closing PUT', async () => {
    const location = await begin()
    await patch(location, '{', '0-0')
    const put = await door.send('PUT', `${location}?digest=${sha256(Buffer.from('{}'))}`, {
      body: '}',
      headers: { 'content-range': '1-1' },
    })
    expect(put.status).toBe(201)
    await expectBlob(Buffer.from('{}'))
  })

  it('answers 416 to a chunk out of order, and the upload survives', async () => {
    const location = await begin()
    await patch(location, 'hello', '0-4')
    for (const range of ['6-10', '0-4', '4-8']) {
      const answer = await patch(location, 'world', range)
      expectError(answer, 416, 'BLOB_UPLOAD_INVALID')
      expect([answer.header('range'), answer.header('location')]).toEqual(['0-4', location])
    }
    const whole = sha256(Buffer.from('helloworld'))
    const put = await door.send('PUT', `${location}?digest=${whole}`, {
      body: 'world',
      headers: { 'content-range': '9-13' },
    })
    expect(put.status).toBe(416)
    const status = await door.send('GET', `${location}?digest=${whole}`)
    expect([status.status, status.header('range'), status.header('location')]).toEqual([204, '0-4', location])
    await patch(location, 'world', '5-9')
    expect((await door.send('PUT', `${location}?digest=${whole}`)).status).toBe(201)
  })

  it('refuses ranges that are not <first>-<last>, and lengths that disagree with them', async () => {
    const location = await begin()
    for (const range of ['bytes 0-4', '0-4/5', '4-0', 'x', '0-99999999999999999999']) {
      expectError(await patch(location, 'hello', range), 400, 'BLOB_UPLOAD_INVALID')
    }
    expectError(await patch(location, 'hello', '0-3'), 400, 'SIZE_INVALID')
    expect((await door.send('GET', location)).header('range')).toBe('0-0')
  })

  it('keeps the upload as it was when the closing digest is wrong', async () => {
    const location = await begin()
    await patch(location, 'good')
    const wrong = await door.send('PUT', `${location}?digest=${sha256(Buffer.from('other'))}`, { body: '!' })
    expectError(wrong, 400, 'DIGEST_INVALID')
    expect((await door.send('GET', location)).header('range')).toBe('0-3')
    const right = await door.send('PUT', `${location}?digest=${sha256(Buffer.from('good!'))}`, { body: '!' })
    expect(right.status).toBe(201)
    await expectBlob(Buffer.from('good!'))
  })

  it('verifies a single POST and leaves nothing behind when it is wrong', async () => {
    const digest = sha256(Buffer.from('promised'))
    expectError(
      await door.send('POST', `/v2/a/b/blobs/uploads/?digest=${digest}`, { body: 'delivered' }),
      400,
      'DIGEST_INVALID',
    )
    expect((await door.send('GET', `/v2/a/b/blobs/${digest}`)).status).toBe(404)
    expect((await door.registry.status()).blobs).toBe(0)
  })

  it.each(['sha384', 'sha512'])('takes %s, announced or not', async (algorithm) => {
    const bytes = randomBytes(50_000)
    const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
    for (const query of ['', `?digest-algorithm=${algorithm}`]) {
      const started = await door.send('POST', `/v2/a/b/blobs/uploads/${query}`)
      expect(started.status).toBe(202)
      const location = started.header('location') ?? ''
      await patch(location, bytes)
      expect((await door.send('PUT', `${location}?digest=${digest}`)).status).toBe(201)
    }
    expect((await door.send('HEAD', `/v2/a/b/blobs/${digest}`)).header('docker-content-digest')).toBe(digest)
    expect((await door.send('HEAD', `/v2/a/b/blobs/${sha256(bytes)}`)).status).toBe(404)
  })

  it.each([
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    'sha256:abc',
    `SHA256:${'a'.repeat(64)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(65)}`,
    '../../etc/passwd',
    '',
  ])('refuses the digest %j', async (digest) => {
    const location = await begin()
    const encoded = encodeURIComponent(digest)
    expectError(await door.send('PUT', `${location}?digest=${encoded}`, { body: 'x' }), 400, 'DIGEST_INVALID')
    expectError(
      await door.send('POST', `/v2/a/b/blobs/uploads/?digest=${encoded}`, { body: 'x' }),
      400,
      'DIGEST_INVALID',
    )
    expect((await door.send('GET', location)).status).toBe(204)
  })

  it('refuses a closing request without a digest and an algorithm it does not know', async () => {
    expectError(await door.send('PUT', await begin()), 400, 'DIGEST_INVALID')
    expectError(await door.send('POST', '/v2/a/b/blobs/uploads/?digest-algorithm=md5'), 400, 'DIGEST_INVALID')
  })

  it('cancels', async () => {
    const location = await begin()
    await patch(location, 'bytes')
    expect((await door.send('DELETE', location)).status).toBe(204)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expectError(await door.send(method, location), 404, 'BLOB_UPLOAD_UNKNOWN')
    }
  })

  it('binds an upload to its repository', async () => {
    const location = await begin('mine/a')
    const elsewhere = location.replace('mine/a', 'other/b')
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const target = method === 'PUT' ? `${elsewhere}?digest=${sha256(Buffer.from(''))}` : elsewhere
      expectError(await door.send(method, target), 404, 'BLOB_UPLOAD_UNKNOWN')
    }
    expect((await door.send('GET', location)).status).toBe(204)
  })

  it('forgets an upload that had no byte for 600 seconds, and not one that had', async () => {
    const idle = await begin()
    const busy = await begin()
    for (let minute = 0; minute < 15; minute++) {
      now += 60_000
      await patch(busy, 'x')
      await door.registry.sweep()
    }
    expectError(await patch(idle, 'x'), 404, 'BLOB_UPLOAD_UNKNOWN')
    const digest = sha256(Buffer.from('x'.repeat(15)))
    expect((await door.send('PUT', `${busy}?digest=${digest}`)).status).toBe(201)
    expect((await door.registry.status()).uploads).toBe(0)
  })

  it('lets one of two equal chunks in at the same time, and the blob is right', async () => {
    const location = await begin()
    const chunk = randomBytes(200_000)
    const answers = await Promise.all([patch(location, chunk, '0-199999'), patch(location, chunk, '0-199999')])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 416])
    expect((await door.send('PUT', `${location}?digest=${sha256(chunk)}`)).status).toBe(201)
  })

  it('gives both pushers of one digest a 201', async () => {
    const bytes = randomBytes(200_000)
    const target = `/v2/a/b/blobs/uploads/?digest=${sha256(bytes)}`
    const answers = await Promise.all([1, 2, 3, 4].map(async () => door.send('POST', target, { body: bytes })))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    await expectBlob(bytes)
    expect((await door.registry.status()).blobs).toBe(1)
  })

  it('mounts from a repository that has the blob, and begins an upload otherwise', async () => {
    const bytes = Buffer.from('shared')
    const digest = sha256(bytes)
    await sample.pushBlob(door, 'source/x', bytes)
    const mounted = await door.send('POST', `/v2/target/y/blobs/uploads/?mount=${digest}&from=source/x`)
    expect([mounted.status, mounted.header('location'), mounted.header('docker-content-digest')]).toEqual([
      201,
      `/v2/target/y/blobs/${digest}`,
      digest,
    ])
    await expectBlob(bytes, 'target/y')
    // Twice is as good as once; without a source any repository will do that may be pulled from.
    expect((await door.send('POST', `/v2/target/y/blobs/uploads/?mount=${digest}&from=source/x`)).status).toBe(201)
    expect((await door.send('POST', `/v2/target/z/blobs/uploads/?mount=${digest}`)).status).toBe(201)
    const absent = sha256(Buffer.from('absent'))
    for (const query of [`mount=${absent}&from=source/x`, `mount=${digest}&from=no/such`, `mount=${absent}`]) {
      const answer = await door.send('POST', `/v2/target/y/blobs/uploads/?${query}`)
      expect(answer.status).toBe(202)
      expect(answer.header('location')).toMatch(/^\/v2\/target\/y\/blobs\/uploads\//)
    }
  })

  it('gives absolute Locations when it knows its public URL', async () => {
    await using other = await open({ publicUrl: 'https://registry.example/' })
    const started = await other.send('POST', '/v2/a/blobs/uploads/')
    expect(started.header('location')).toMatch(/^https:\/\/registry\.example\/v2\/a\/blobs\/uploads\//)
  })

  it('refuses encoded bodies: the digest is of the bytes themselves', async () => {
    const answer = await door.send('PATCH', await begin(), { body: 'x', headers: { 'content-encoding': 'gzip' } })
    expectError(answer, 415, 'UNSUPPORTED')
  })
})
