/** Reggie's API, as far as a runtime could make a difference. */
import { NewClient, WithDefaultName, WithDigest, WithReference } from '@stowage/client/reggie'
import { makeImage, mebibyte } from './content.ts'
import { type ClientRun, equal, ok } from './run.ts'

export const checkReggie = async ({ servers, check }: ClientRun): Promise<void> => {
  await check('pushes and pulls with Reggie', async () => {
    const client = NewClient(`http://${servers.open}`, WithDefaultName('runs/reggie'))
    equal((await client.Do(client.NewRequest('GET', '/v2/'))).status, 200, 'the status')
    const { config, layer, manifest } = await makeImage(41, 2 * mebibyte)
    for (const { bytes, descriptor } of [config, layer]) {
      const begun = await client.Do(client.NewRequest('POST', '/v2/<name>/blobs/uploads/'))
      const put = client.NewRequest('PUT', begun.GetRelativeLocation())
      put.SetHeader('Content-Type', 'application/octet-stream').SetQueryParam('digest', descriptor.digest)
      equal((await client.Do(put.SetBody(bytes))).status, 201, 'the status')
    }
    const push = client.NewRequest('PUT', '/v2/<name>/manifests/<reference>', WithReference('v1'))
    push.SetHeader('Content-Type', manifest.descriptor.mediaType).SetBody(manifest.bytes)
    equal((await client.Do(push)).status, 201, 'the status')
    const pull = client.NewRequest('GET', '/v2/<name>/blobs/<digest>', WithDigest(layer.descriptor.digest))
    const pulled = (await client.Do(pull)).Body()
    ok(
      pulled.every((byte, index) => byte === layer.bytes[index]),
      'The bytes are others.',
    )
    equal(pulled.byteLength, layer.bytes.byteLength, 'the length')
    const { digest } = manifest.descriptor
    const head = client.NewRequest('HEAD', '/v2/<name>/manifests/<reference>', WithReference('v1'))
    equal((await client.Do(head)).headers.get('docker-content-digest'), digest, 'the digest')
  })
}
