import { createHash, randomFillSync } from 'node:crypto'
import { digestOf, manifestOf, manifestType } from './content.ts'
import type { Answer, HttpClient } from './load/http-client.ts'

export interface PushTarget {
  readonly client: HttpClient
  /** Address of the server, without a path. */
  readonly url: string
  readonly repository: string
}

export interface BlobToPush {
  readonly digest: string
  readonly size: number
  /** Bytes in memory, or a function that makes them anew: a push of 4 GiB has no array to come from. */
  readonly bytes: Uint8Array | (() => AsyncIterable<Uint8Array>)
}

export interface SmallImage {
  readonly tag: string
  readonly config: BlobToPush
  readonly layer: BlobToPush
  readonly manifest: Uint8Array
}

/** POST, then PUT with all the bytes: the two requests that every registry knows. Throws unless it answers 201. */
export async function pushBlob({ client, url, repository }: PushTarget, blob: BlobToPush): Promise<void> {
  const started = await client.call({ method: 'POST', url: new URL(`/v2/${repository}/blobs/uploads/`, url) })
  expectStatus(started, 202, 'POST of an upload')
  const place = new URL(started.headers.location ?? '', url)
  place.searchParams.set('digest', blob.digest)
  const finished = await client.call({
    method: 'PUT',
    url: place,
    headers: { 'content-type': 'application/octet-stream', 'content-length': blob.size },
    body: blob.bytes instanceof Uint8Array ? blob.bytes : blob.bytes(),
  })
  expectStatus(finished, 201, 'PUT of a blob')
}

export async function pushManifest(target: PushTarget, reference: string, bytes: Uint8Array): Promise<void> {
  const answer = await target.client.call({
    method: 'PUT',
    url: new URL(`/v2/${target.repository}/manifests/${reference}`, target.url),
    headers: { 'content-type': manifestType },
    body: bytes,
  })
  expectStatus(answer, 201, 'PUT of a manifest')
}

/** Config, layer, manifest, one after the other: five requests. */
export async function pushImage(target: PushTarget, image: SmallImage): Promise<void> {
  await pushBlob(target, image.config)
  await pushBlob(target, image.layer)
  await pushManifest(target, image.tag, image.manifest)
}

/** Pushes all images, `atOnce` at a time; resolves with the milliseconds that took. */
export async function pushImages(target: PushTarget, images: readonly SmallImage[], atOnce: number): Promise<number> {
  const waiting = images.values()
  const worker = async () => {
    for (const image of waiting) await pushImage(target, image)
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: atOnce }, worker))
  return performance.now() - start
}

let stamp = 0

/** Images that no registry has seen: made before the clock starts, so that no time goes into making them. */
export function createSmallImages(count: number): SmallImage[] {
  return Array.from({ length: count }, () => {
    const config = blobOf(
      new TextEncoder().encode(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [] },
          serial: ++stamp,
        }),
      ),
    )
    const layer = blobOf(randomFillSync(new Uint8Array(4096)))
    return { tag: `v${stamp}`, config, layer, manifest: manifestOf(config, [layer]) }
  })
}

/** A blob without end of the same random mebibyte, each time behind another first block: never the same digest twice. */
export function createStreamedBlob(mebibytes: number): BlobToPush {
  const first = randomFillSync(Buffer.allocUnsafe(1024 * 1024))
  const next = randomFillSync(Buffer.allocUnsafe(1024 * 1024))
  const blocks = function* () {
    yield first
    for (let block = 1; block < mebibytes; block += 1) yield next
  }
  const sum = createHash('sha256')
  for (const block of blocks()) sum.update(block)
  return {
    digest: `sha256:${sum.digest('hex')}`,
    size: mebibytes * 1024 * 1024,
    bytes: async function* () {
      yield* blocks()
    },
  }
}

function blobOf(bytes: Uint8Array): BlobToPush {
  return { digest: digestOf(bytes), size: bytes.byteLength, bytes }
}

function expectStatus({ status, body }: Answer, expected: number, what: string): void {
  if (status !== expected) {
    throw new Error(`${what} was answered ${status} instead of ${expected}: ${body.toString().slice(0, 300)}`)
  }
}
