/**
 * The tutorial of a Python registry client, request for request (see `reggie-request.ts`), against the registry: ping, a blob
 * by POST and PUT, the same blob in 768 chunks, a manifest, the tags. What makes it hard is that the client uses the Location
 * of the first POST for every chunk and for the closing PUT, and that its layer is not what its media type claims.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { generatedBytes, sha256 } from './generated-data.ts'
import type { Client, ClientContext } from './harness.ts'
import { type ReggieResponse, reggieRequest, relativeLocation } from './reggie-request.ts'

const repository = 'myorg/myrepo'
const octetStream = 'application/octet-stream'
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const chunkSize = 1024

/** Stands for the tutorial's 768 KiB container file. */
const data = generatedBytes(786_432, 'seed tutorial')
const digest = sha256(data)

export const seedTutorial: Client = {
  name: 'seed-tutorial',
  modes: ['relative', 'absolute'],
  async run(context) {
    const { check, step, url, signal } = context
    const call = (...[method, path, options]: [Method, string, Options?]) =>
      reggieRequest(url, method, path, { ...options, signal })

    for (const path of ['/v2/', '/v2']) {
      await check(`S2 ping ${path}`, async () => {
        const response = await call('GET', path)
        equal(response.status, 200)
        deepEqual(JSON.parse(String(response.body)), { success: true })
        equal(response.headers['docker-distribution-api-version'], 'registry/2.0')
        match(response.headers['content-type'] ?? '', /^application\/json\b/)
      })
    }

    const upload = await step('S3a POST opens an upload and creates the repository', async () => {
      const response = await call('POST', `/v2/${repository}/blobs/uploads/`)
      equal(response.status, 202)
      equal(response.body.length, 0)
      match(response.headers['location'] ?? '', /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i)
      assertMode(context, response)
      return relativeLocation(response)
    })
    const blob = await step('S3b PUT of 786,432 bytes closes it', async () => {
      const response = await call('PUT', upload, {
        headers: { 'Content-Type': octetStream, 'Content-Length': String(data.length) },
        query: { digest },
        body: data,
      })
      equal(response.status, 201)
      equal(response.body.length, 0)
      assertMode(context, response)
      return relativeLocation(response)
    })
    const withoutSlash = blob.replace(/\/$/, '')
    for (const path of [withoutSlash, `${withoutSlash}/`]) {
      await check(`S3c pull ${path.endsWith('/') ? 'with' : 'without'} a trailing slash`, async () => {
        assertBlob(await call('GET', path))
      })
    }

    const chunks = await step('S4a POST without a trailing slash opens an upload, no redirect', async () => {
      const response = await call('POST', `/v2/${repository}/blobs/uploads`, {
        headers: { 'Content-Type': octetStream, 'Content-Length': '0' },
      })
      equal(response.status, 202)
      assertMode(context, response)
      return relativeLocation(response)
    })
    await step('S4b 768 chunks of 1 KiB, all to the first Location', async () => {
      for (let start = 0; start < data.length; start += chunkSize) {
        const chunk = data.subarray(start, start + chunkSize)
        const end = start + chunk.length - 1
        const response = await call('PATCH', chunks, {
          headers: {
            'Content-Type': octetStream,
            'Content-Length': String(chunk.length),
            'Content-Range': `${start}-${end}`,
          },
          body: chunk,
        })
        equal(response.status, 202, `chunk ${start}-${end}: ${String(response.body)}`)
        equal(response.headers['range'], `0-${end}`)
        equal(response.body.length, 0)
      }
    })
    await step('S4c PUT without a body closes it, though the repository has the blob', async () => {
      const response = await call('PUT', chunks, { query: { digest } })
      equal(response.status, 201)
      assertMode(context, response)
      const location = relativeLocation(response)
      equal(location.replace(/\/$/, ''), `/v2/${repository}/blobs/${digest}`)
      assertBlob(await call('GET', location))
    })

    await step('S5b PUT of the manifest as Python writes JSON', async () => {
      const body = Buffer.from(pythonManifest)
      equal(body.length, 365, 'the tutorial’s manifest has 365 bytes')
      const response = await call('PUT', `/v2/${repository}/manifests/latest`, {
        headers: { 'Content-Type': manifestType },
        body,
      })
      equal(response.status, 201, String(response.body))
      equal(response.body.length, 0)
      equal(response.headers['docker-content-digest'], sha256(body))
      assertMode(context, response)
      equal(relativeLocation(response).replace(/\/$/, ''), `/v2/${repository}/manifests/${sha256(body)}`)
    })
    await check('S5c GET answers the same bytes', async () => {
      const response = await call('GET', `/v2/${repository}/manifests/latest`, { headers: { Accept: manifestType } })
      equal(response.status, 200)
      equal(response.headers['content-type'], manifestType)
      equal(String(response.body), pythonManifest)
      deepEqual(Object.keys(JSON.parse(String(response.body))), ['schemaVersion', 'config', 'layers'])
    })
    await check('S6 tags', async () => {
      const response = await call('GET', `/v2/${repository}/tags/list`)
      equal(response.status, 200)
      deepEqual(JSON.parse(String(response.body)), { name: repository, tags: ['latest'] })
    })
    await check('S6 an unknown repository is 404 NAME_UNKNOWN', async () => {
      const response = await call('GET', '/v2/vsoch/django-oci/tags/list')
      equal(response.status, 404)
      equal(JSON.parse(String(response.body)).errors[0].code, 'NAME_UNKNOWN')
    })
  },
}

type Method = Parameters<typeof reggieRequest>[1]
type Options = Parameters<typeof reggieRequest>[3]

const size = data.length
const configType = 'application/vnd.oci.image.config.v1+json'
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
/** Python's `json.dumps` puts a space behind each comma and colon. */
const pythonManifest =
  `{"schemaVersion": 2, "config": {"mediaType": "${configType}", "size": ${size}, "digest": "${digest}"}, ` +
  `"layers": [{"mediaType": "${layerType}", "size": ${size}, "digest": "${digest}"}]}`

function assertBlob(response: ReggieResponse): void {
  equal(response.status, 200)
  equal(response.headers['content-type'], octetStream)
  equal(response.headers['content-length'], String(data.length))
  equal(response.headers['docker-content-digest'], digest)
  ok(response.body.equals(data), 'the bytes differ from those that were pushed')
}

function assertMode({ mode, url }: ClientContext, response: ReggieResponse): void {
  const location = response.headers['location'] ?? ''
  const start = mode === 'absolute' ? `${url}/v2/` : '/v2/'
  ok(location.startsWith(start), `Location is "${location}", expected it to begin with "${start}"`)
}
