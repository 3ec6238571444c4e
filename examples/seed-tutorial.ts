/**
 * The tutorial that Reggie for Python comes with, step by step in TypeScript: ping, a blob by POST and PUT, the same blob in
 * chunks, a manifest, the tags. What the page says about an answer is an assertion here. `docs/client/from-reggie.md` shows it
 * beside the Python.
 *
 * Run it from the root of the repository (`npm run build` once before), with a registry's URL:
 *
 *   node examples/seed-tutorial.ts http://127.0.0.1:5000
 *
 * It pushes to `myorg/myrepo`. STOWAGE_USERNAME and STOWAGE_PASSWORD say who you are, where a registry asks.
 *
 * It passes at every registry that keeps to the specification. Three things are particular to the page and to Stowage, and are
 * asserted where the ping is answered as on the page: paths with and without a slash at their end are the same, an upload's first
 * Location stays good for all its chunks, and no request of this program is redirected.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  NewClient,
  WithDebug,
  WithDefaultName,
  WithName,
  WithReference,
  WithUsernamePassword,
} from '@stowage/client/reggie'
import { parseManifestValue } from '@stowage/oci'

const [address = 'http://127.0.0.1:5000'] = process.argv.slice(2)
const { STOWAGE_USERNAME: username = '', STOWAGE_PASSWORD: password = '' } = process.env

// 1. A client. The Python page turns debug output on; here it goes into a list, for there will be some 800 requests.
const debug: string[] = []
const client = NewClient(
  address,
  WithDefaultName('myorg/myrepo'),
  WithDebug(true, (text) => debug.push(text)),
  ...(username === '' ? [] : [WithUsernamePassword(username, password)]),
)
equal(client.Config.DefaultName, 'myorg/myrepo')
equal(client.Config.Debug, true)
equal(debug.length, 0)

// 2. Ping the registry.
let req = client.NewRequest('GET', '/v2/')
let response = await client.Do(req)
console.log('ping', response)
equal(response.status, 200)
equal(response.headers.get('Docker-Distribution-Api-Version'), 'registry/2.0')
const pong = response.json() as { success?: boolean }
const asOnThePage = pong.success === true
if (asOnThePage) deepEqual(pong, { success: true })

// 3. Upload a blob with POST then PUT. On the page it is a container file of 768 KiB; any bytes will do.
const data = Uint8Array.from({ length: 786_432 }, (_, index) => (index * 2_654_435_761) >>> 24)
const digest = calculateDigest(data)

req = client.NewRequest('POST', '/v2/<name>/blobs/uploads/')
equal(req.url, `${client.Config.Address}/v2/myorg/myrepo/blobs/uploads/`)
equal(req.method, 'POST')
response = await client.Do(req)
console.log('upload', response)
equal(response.status, 202)
match(response.GetRelativeLocation(), /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i)

req = client
  .NewRequest('PUT', response.GetRelativeLocation())
  .SetHeader('Content-Type', 'application/octet-stream')
  .SetHeader('Content-Length', String(data.length))
  .SetQueryParam('digest', digest)
  .SetBody(data)
const blobResponse = await client.Do(req)
console.log('blob', blobResponse)
equal(blobResponse.status, 201)

// The Location is where the blob is, with or without a slash at its end.
const blob = blobResponse.GetRelativeLocation().replace(/\/$/, '')
for (const path of [blob, `${blob}/`]) {
  const downloadResponse = await client.Do(client.NewRequest('GET', path))
  console.log('download', downloadResponse)
  equal(downloadResponse.status, 200)
  equal(downloadResponse.headers.get('Content-Type'), 'application/octet-stream')
  equal(downloadResponse.headers.get('Docker-Content-Digest'), digest)
  deepEqual(downloadResponse.Body(), data)
  if (asOnThePage) equal(downloadResponse.url, `${client.Config.Address}${path}`)
}

// 4. Chunked upload of a blob. Other registries have this only with the slash, and redirect: a POST does not follow.
req = client
  .NewRequest('POST', asOnThePage ? '/v2/<name>/blobs/uploads' : '/v2/<name>/blobs/uploads/')
  .SetHeader('Content-Type', 'application/octet-stream')
  .SetHeader('Content-Length', '0')
response = await client.Do(req)
console.log('upload', response)
equal(response.status, 202)

let start = 0
let location = response.GetRelativeLocation()
for (const chunk of readInChunks(data)) {
  const end = start + chunk.length - 1
  req = client
    .NewRequest('PATCH', location)
    .SetHeader('Content-Type', 'application/octet-stream')
    .SetHeader('Content-Length', String(chunk.length))
    .SetHeader('Content-Range', `${start}-${end}`)
    .SetBody(chunk)
  start = end + 1
  const chunkResponse = await client.Do(req)
  equal(chunkResponse.status, 202, chunkResponse.text())
  equal(chunkResponse.headers.get('Range'), `0-${end}`)
  equal(chunkResponse.Body().length, 0)
  // The page sends every chunk to the first Location. The specification wants the next one to go to the newest.
  if (!asOnThePage) location = chunkResponse.GetRelativeLocation()
}
console.log('chunks', data.length / 1024)

req = client.NewRequest('PUT', location).SetQueryParam('digest', digest)
const putResponse = await client.Do(req)
console.log('blob', putResponse)
equal(putResponse.status, 201)
equal(putResponse.GetRelativeLocation().replace(/\/$/, ''), `/v2/myorg/myrepo/blobs/${digest}`)
// Really absolute, also when the registry sends a path.
equal(putResponse.GetAbsoluteLocation(), `${client.Config.Address}${putResponse.GetRelativeLocation()}`)

// 5. Upload a manifest. The same blob stands for config and layer: nothing looks into it.
const manifest = {
  schemaVersion: 2,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: data.length, digest },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: data.length, digest }],
}
equal(parseManifestValue(manifest).kind, 'image')

req = client
  .NewRequest('PUT', '/v2/<name>/manifests/<reference>', WithReference('latest'))
  .SetHeader('Content-Type', 'application/vnd.oci.image.manifest.v1+json')
  .SetBody(manifest)
response = await client.Do(req)
console.log('manifest', response)
equal(response.status, 201)
equal(response.Body().length, 0)
const manifestDigest = calculateDigest(new TextEncoder().encode(JSON.stringify(manifest)))
equal(response.headers.get('Docker-Content-Digest'), manifestDigest)
equal(response.GetRelativeLocation().replace(/\/$/, ''), `/v2/myorg/myrepo/manifests/${manifestDigest}`)

req = client
  .NewRequest('GET', '/v2/<name>/manifests/<reference>', WithReference('latest'))
  .SetHeader('Accept', 'application/vnd.oci.image.manifest.v1+json')
response = await client.Do(req)
console.log('manifest', response, response.json())
equal(response.status, 200)
equal(response.headers.get('Content-Type'), 'application/vnd.oci.image.manifest.v1+json')
equal(response.text(), JSON.stringify(manifest))
deepEqual(response.json(), manifest)

// 6. List tags.
req = client.NewRequest('GET', '/v2/<name>/tags/list')
equal(req.url, `${client.Config.Address}/v2/myorg/myrepo/tags/list`)
response = await client.Do(req)
console.log('tags', response, response.json())
equal(response.status, 200)
deepEqual(response.json(), { name: 'myorg/myrepo', tags: ['latest'] })

// The name of the repository can be another for one request. The page shows the answer of the first one here.
req = client.NewRequest('GET', '/v2/<name>/tags/list', WithName('vsoch/django-oci'))
equal(req.url, `${client.Config.Address}/v2/vsoch/django-oci/tags/list`)
equal(req.method, 'GET')
equal(String(req), `[GET] ${req.url}`)
response = await client.Do(req)
console.log('tags', response, response.Errors())
equal(response.status, 404)
deepEqual(
  response.Errors().map(({ code }) => code),
  ['NAME_UNKNOWN'],
)

// Debug output has a line for each request, and nothing that is nobody's business.
ok(debug.some((text) => text.startsWith(`> PATCH ${client.Config.Address}/v2/`)))
ok(password === '' || !debug.some((text) => text.includes(password)))
console.log('done')

/** Given a blob (the body of a response) calculate the sha256 digest. */
function calculateDigest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Gives a blob in chunks, of 1 KiB unless said. */
function* readInChunks(bytes: Uint8Array, chunkSize = 1024): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize)
}
