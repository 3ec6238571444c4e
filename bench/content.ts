import { createHash, randomFillSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
export const mebibyte = 1024 * 1024

export interface ContentBlob {
  readonly digest: string
  readonly size: number
  /** A file with the bytes. */
  readonly file: string
}

/** What every server of a row holds and serves: the same bytes for all. */
export interface ServedContent {
  readonly repository: string
  readonly tag: string
  readonly manifest: { readonly bytes: Uint8Array; readonly digest: string }
  /** Everything the manifest names, and the blob that is asked for. */
  readonly blobs: readonly ContentBlob[]
  /** The blob that the load asks for. */
  readonly asked: ContentBlob
}

/** An image like most of those that are pulled: a config and five layers, its manifest 1.2 KB long. */
export async function createContent(directory: string, askedSize: number): Promise<ServedContent> {
  await mkdir(directory, { recursive: true })
  const config = await createBlob(directory, 1024)
  const layers = []
  for (let layer = 0; layer < 5; layer += 1) layers.push(await createBlob(directory, 4096))
  const asked = await createBlob(directory, askedSize)
  const bytes = manifestOf(config, layers)
  return {
    repository: 'bench/app',
    tag: 'latest',
    manifest: { bytes, digest: digestOf(bytes) },
    blobs: [config, ...layers, asked],
    asked,
  }
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

type Sized = Pick<ContentBlob, 'digest' | 'size'>

export function manifestOf(config: Sized, layers: readonly Sized[]): Uint8Array {
  const descriptor = (mediaType: string, { digest, size }: Sized) => ({ mediaType, digest, size })
  return new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)),
    }),
  )
}

async function createBlob(directory: string, size: number): Promise<ContentBlob> {
  const bytes = randomFillSync(Buffer.allocUnsafe(size))
  const digest = digestOf(bytes)
  const file = join(directory, digest.replace(':', '-'))
  await writeFile(file, bytes)
  return { digest, size, file }
}
