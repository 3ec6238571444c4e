import { createHash } from 'node:crypto'
import { type HttpAnswer, type HttpClient, locationOf } from './http.ts'

export interface Content {
  readonly digest: string
  readonly bytes: Buffer
}

export interface Image {
  readonly config: Content
  readonly layers: readonly Content[]
  readonly manifest: Content
}

export const imageType = 'application/vnd.oci.image.manifest.v1+json'

export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const contentOf = (bytes: Buffer): Content => ({ digest: digestOf(bytes), bytes })

/** @param name Makes the config, and with it the image, another one. */
export const imageOf = (name: string, layers: readonly Content[]): Image => {
  const config = contentOf(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', created_by: name })))
  const describe = (mediaType: string, { digest, bytes }: Content): object => ({
    mediaType,
    digest,
    size: bytes.byteLength,
  })
  const manifest = contentOf(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: imageType,
        config: describe('application/vnd.oci.image.config.v1+json', config),
        layers: layers.map((layer) => describe('application/vnd.oci.image.layer.v1.tar', layer)),
      }),
    ),
  )
  return { config, layers, manifest }
}

/** POST, then PUT of the whole: what most clients do with small blobs. Gives the answer that decides. */
export const pushBlob = async (
  client: HttpClient,
  repository: string,
  { digest, bytes }: Content,
): Promise<HttpAnswer> => {
  const begun = await client.send('POST', `/v2/${repository}/blobs/uploads/`)
  if (begun.status !== 202) return begun
  const location = locationOf(begun)
  return client.send('PUT', `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  })
}

export const pushManifest = async (
  client: HttpClient,
  repository: string,
  reference: string,
  manifest: Content,
): Promise<HttpAnswer> =>
  client.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    headers: { 'content-type': imageType },
    body: manifest.bytes,
  })
