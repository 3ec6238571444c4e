import { createHash } from 'node:crypto'

export const digestOf = (bytes: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const pushBlob = async (url: string, repository: string, bytes: string): Promise<Response> =>
  fetch(`${url}/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, { method: 'POST', body: bytes })

const imageType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

/** A manifest whose config and only layer have this content, with a size of at least `size`. */
export const imageManifest = (content: string, size = 0): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(content), size: content.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(content), size: content.length }],
    annotations: { filler: 'x'.repeat(size) },
  })

export const indexManifest = (child: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [{ mediaType: imageType, digest: digestOf(child), size: child.length }],
  })

export const pushManifest = async (
  url: string,
  repository: string,
  tag: string,
  manifest: string,
): Promise<Response> => {
  const { mediaType } = JSON.parse(manifest) as { mediaType: string }
  return fetch(`${url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: manifest,
  })
}
