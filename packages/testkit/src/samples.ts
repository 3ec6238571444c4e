import { createHash } from 'node:crypto'
import type { Digest } from '@stowage/oci'
import type { OpenDoor } from './doors.ts'

/** A small image, every byte made from its name: two names never share content. */
export interface SampleImage {
  readonly config: { readonly bytes: Uint8Array; readonly digest: Digest }
  readonly layer: { readonly bytes: Uint8Array; readonly digest: Digest }
  readonly manifest: Uint8Array
  readonly digest: Digest
  readonly mediaType: string
}

const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest

const image = (name: string, more: object = {}): SampleImage => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  const layer = encode(`layer of ${name}`)
  const rootfs = { type: 'layers', diff_ids: [sha256(layer)] }
  const config = encode(JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Labels: { name } }, rootfs }))
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.byteLength,
      },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(layer), size: layer.byteLength }],
      ...more,
    }),
  )
  return {
    config: { bytes: config, digest: sha256(config) },
    layer: { bytes: layer, digest: sha256(layer) },
    manifest,
    digest: sha256(manifest),
    mediaType,
  }
}

const pushBlob = async (door: Pick<OpenDoor, 'send'>, repository: string, bytes: Uint8Array): Promise<Digest> => {
  const digest = sha256(bytes)
  const answer = await door.send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes })
  if (answer.status !== 201) throw new Error(`blob push answered ${answer.status}: ${answer.text()}`)
  return digest
}

const pushImage = async (
  door: Pick<OpenDoor, 'send'>,
  repository: string,
  reference: string,
  pushed: SampleImage,
): Promise<void> => {
  await pushBlob(door, repository, pushed.config.bytes)
  await pushBlob(door, repository, pushed.layer.bytes)
  const answer = await door.send('PUT', `/v2/${repository}/manifests/${reference}`, {
    body: pushed.manifest,
    headers: { 'content-type': pushed.mediaType },
  })
  if (answer.status !== 201) throw new Error(`manifest push answered ${answer.status}: ${answer.text()}`)
}

/** Content for tests, and the shortest way to have it in a registry. */
export const sample = { image, pushBlob, pushImage, sha256 } as const
