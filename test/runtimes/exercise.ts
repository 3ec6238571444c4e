/**
 * One push and one pull with everything between, over HTTP: what every host and every runtime must let through unharmed.
 * The same list runs against each example and against Bun.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { generatedBytes, sha256 } from '../clients/generated-data.ts'
import { type HttpAnswer, type HttpOptions, send } from './http-client.ts'

const mebibyte = 2 ** 20
const layer = generatedBytes(3 * mebibyte, 'layer')
const chunked = generatedBytes(2 * mebibyte + 1, 'chunked')
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const descriptor = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.byteLength,
})
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [layer, chunked].map((bytes) => descriptor('application/vnd.oci.image.layer.v1.tar', bytes)),
  }),
)

export interface ExerciseOptions {
  /** False for a host that sends what is streamed without its length, whatever the registry says. */
  readonly sendsLengths?: boolean
}

/**
 * @param base Where the registry is, with the path it is mounted under: `http://127.0.0.1:5000` or `http://127.0.0.1:5000/registry`.
 * @param check Is given each step by name, in an order that matters.
 */
export async function exercise(
  base: string,
  check: (name: string, body: () => Promise<void>) => Promise<void>,
  { sendsLengths = true }: ExerciseOptions = {},
): Promise<void> {
  const { origin, pathname } = new URL(base)
  const mount = pathname.replace(/\/$/, '')
  const root = `${mount}/v2`
  const call = async (method: string, target: string, options?: HttpOptions): Promise<HttpAnswer> =>
    send(origin, method, target, options)
  const start = async (): Promise<string> => {
    const answer = await call('POST', `${root}/a/b/blobs/uploads/`, { headers: { 'content-length': '0' } })
    equal(answer.status, 202, String(answer.body))
    const location = answer.headers.location ?? ''
    ok(location.startsWith(`${root}/a/b/blobs/uploads/`), `Location is ${location}`)
    return location
  }
  const assertError = (answer: HttpAnswer, status: number, code: string): void => {
    equal(answer.status, status, String(answer.body))
    match(answer.headers['content-type'] ?? '', /^application\/json/)
    equal(JSON.parse(String(answer.body)).errors[0].code, code)
  }

  await check('answers /v2/ and /v2 without a redirect', async () => {
    for (const target of [`${root}/`, root]) {
      const answer = await call('GET', target)
      equal(answer.status, 200)
      deepEqual(JSON.parse(String(answer.body)), { success: true })
      equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
    }
  })
  await check('takes 3 MiB streamed without a length', async () => {
    const location = await start()
    const pieces = Array.from({ length: 48 }, (_, index) => layer.subarray(index * 65_536, (index + 1) * 65_536))
    const patch = await call('PATCH', location, { body: pieces })
    equal(patch.status, 202, String(patch.body))
    equal(patch.headers['range'], `0-${layer.byteLength - 1}`)
    const put = await call('PUT', `${location}?digest=${sha256(layer)}`)
    equal(put.status, 201, String(put.body))
    equal(put.headers.location, `${root}/a/b/blobs/${sha256(layer)}`)
  })
  await check('takes chunks with Content-Range, the last one in the closing PUT', async () => {
    const location = await start()
    const end = 2 * mebibyte
    for (let at = 0; at < end; at += mebibyte) {
      const headers = { 'content-range': `${at}-${at + mebibyte - 1}`, 'content-type': 'application/octet-stream' }
      const patch = await call('PATCH', location, { headers, body: chunked.subarray(at, at + mebibyte) })
      equal(patch.status, 202, String(patch.body))
      equal(patch.headers['range'], `0-${at + mebibyte - 1}`)
    }
    const late = await call('PATCH', location, { headers: { 'content-range': '0-0' }, body: new Uint8Array(1) })
    assertError(late, 416, 'BLOB_UPLOAD_INVALID')
    const status = await call('GET', location)
    equal(status.status, 204)
    equal(status.headers['range'], `0-${end - 1}`)
    const put = await call('PUT', `${location}?digest=${sha256(chunked)}`, {
      headers: { 'content-range': `${end}-${end}` },
      body: chunked.subarray(end),
    })
    equal(put.status, 201, String(put.body))
  })
  await check('takes a blob whose Content-Type is none', async () => {
    const answer = await call('POST', `${root}/a/b/blobs/uploads/?digest=${sha256(config)}`, {
      headers: { 'content-type': 'none' },
      body: config,
    })
    equal(answer.status, 201, String(answer.body))
  })
  await check('takes a manifest, and one that says it is plain JSON is read all the same', async () => {
    const typed = await call('PUT', `${root}/a/b/manifests/v1`, {
      headers: { 'content-type': manifestType },
      body: manifest,
    })
    equal(typed.status, 201, String(typed.body))
    equal(typed.headers['docker-content-digest'], sha256(manifest))
    const refused = await call('PUT', `${root}/a/b/manifests/v2`, {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"schemaVersion":'),
    })
    assertError(refused, 400, 'MANIFEST_INVALID')
  })
  await check('gives the manifest back byte for byte', async () => {
    for (const reference of ['v1', sha256(manifest)]) {
      const got = await call('GET', `${root}/a/b/manifests/${reference}`)
      equal(got.status, 200)
      equal(got.headers['content-type'], manifestType)
      ok(got.body.equals(manifest))
      const head = await call('HEAD', `${root}/a/b/manifests/${reference}`)
      equal(head.status, 200)
      equal(head.headers['content-length'], String(manifest.byteLength))
      equal(head.headers['content-type'], manifestType)
      equal(head.body.byteLength, 0)
    }
    const tags = await call('GET', `${root}/a/b/tags/list`)
    deepEqual(JSON.parse(String(tags.body)), { name: 'a/b', tags: ['v1'] })
  })
  await check('gives the blobs back byte for byte', async () => {
    for (const bytes of [layer, chunked, config]) {
      const got = await call('GET', `${root}/a/b/blobs/${sha256(bytes)}`)
      equal(got.status, 200)
      if (sendsLengths) equal(got.headers['content-length'], String(bytes.byteLength))
      ok(got.body.equals(bytes), 'the bytes differ from those that were pushed')
    }
  })
  await check('answers HEAD with the length and no body', async () => {
    const head = await call('HEAD', `${root}/a/b/blobs/${sha256(layer)}`)
    equal(head.status, 200)
    equal(head.headers['content-length'], String(layer.byteLength))
    equal(head.headers['docker-content-digest'], sha256(layer))
    equal(head.body.byteLength, 0)
  })
  await check('answers a range, large and small', async () => {
    for (const [first, last] of [
      [1_000_000, 1_000_009],
      [1, 2_999_999],
    ] as const) {
      const got = await call('GET', `${root}/a/b/blobs/${sha256(layer)}`, {
        headers: { range: `bytes=${first}-${last}` },
      })
      equal(got.status, 206)
      equal(got.headers['content-range'], `bytes ${first}-${last}/${layer.byteLength}`)
      ok(got.body.equals(layer.subarray(first, last + 1)))
    }
  })
  await check('answers what is not there in the format of OCI', async () => {
    assertError(await call('GET', `${root}/a/b/manifests/none`), 404, 'MANIFEST_UNKNOWN')
    assertError(await call('GET', `${root}/a/b/blobs/sha256:${'0'.repeat(64)}`), 404, 'BLOB_UNKNOWN')
    assertError(await call('GET', `${root}/none/tags/list`), 404, 'NAME_UNKNOWN')
    assertError(await call('GET', `${root}/a/b/none`), 404, 'UNSUPPORTED')
  })
  await check('answers a target that no name can have in the format of OCI', async () => {
    for (const name of ['a%zz', 'a%2Fb', 'a%00', '%ff', 'A']) {
      assertError(await call('GET', `${root}/${name}/tags/list`), 400, 'NAME_INVALID')
    }
  })
  await check('takes a name of the greatest length', async () => {
    const name = 'n'.repeat(255)
    const answer = await call('POST', `${root}/${name}/blobs/uploads/?digest=${sha256(config)}`, { body: config })
    equal(answer.status, 201, String(answer.body))
    equal((await call('GET', `${root}/${name}/blobs/${sha256(config)}`)).status, 200)
  })
  await check('deletes', async () => {
    const target = `${root}/a/b/manifests/${sha256(manifest)}`
    equal((await call('DELETE', target)).status, 202)
    assertError(await call('GET', target), 404, 'MANIFEST_UNKNOWN')
    equal((await call('DELETE', `${root}/a/b/blobs/${sha256(layer)}`)).status, 202)
    assertError(await call('GET', `${root}/a/b/blobs/${sha256(layer)}`), 404, 'BLOB_UNKNOWN')
  })
}
