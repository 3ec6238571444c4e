import { createClient } from '/work/main/packages/client/src/client.ts'
import { createNodeFetch } from '/work/main/packages/client/src/node/node-fetch.ts'
import { bytesContent } from '/work/main/packages/client/src/content/content.ts'
import { digestOf } from '@stowage/oci'
import { defaultHash } from '/work/main/packages/client/src/hash.ts'
import { randomBytes } from 'node:crypto'
const client = createClient({ fetch: createNodeFetch().fetch })
const repo = client.repository(`http://${process.argv[2]}/big`)
const put = async (bytes: Uint8Array, mediaType: string) => {
  const d = { mediaType, digest: digestOf(bytes, defaultHash), size: bytes.byteLength }
  await repo.putBlob(d, bytesContent(bytes))
  return d
}
const config = await put(
  new TextEncoder().encode('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
  'application/vnd.oci.image.config.v1+json',
)
const layers = []
for (let i = 0; i < 8; i++)
  layers.push(await put(randomBytes(128 * 2 ** 20), 'application/vnd.oci.image.layer.v1.tar+gzip'))
const manifest = new TextEncoder().encode(
  JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers }),
)
await repo.putManifest(
  {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(manifest, defaultHash),
    size: manifest.byteLength,
  },
  manifest,
  { tags: ['v1'] },
)
process.exit()
