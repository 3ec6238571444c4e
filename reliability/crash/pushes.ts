import { setTimeout as pause } from 'node:timers/promises'
import { CutError, locationOf } from '../http.ts'
import { type Content, contentOf, imageOf, imageType, pushManifest } from '../image.ts'
import { repositories, type StoredImage, tags, type Worker, write } from './worker.ts'

const chunks = 3
const tries = 5

/** As clients push: what is there is not sent again, what is in another repository may be mounted. */
export const pushImage = async (worker: Worker, repository: string): Promise<void> => {
  const { random, layers } = worker
  const content = Array.from({ length: random.between(1, 4) }, () => layers.pick(random))
  const { config, manifest } = imageOf(`image-${random.next()}-${random.next()}`, content)
  const needs = [...content, config]
  const tag = random.next() < 0.8 ? random.pick(tags) : undefined
  await pushAll(worker, repository, { manifest, needs: needs.map(({ digest }) => digest) }, needs, tag)
}

const empty = contentOf(Buffer.from('{}'))

const describe = (mediaType: string, { digest, bytes }: Content): object => ({
  mediaType,
  digest,
  size: bytes.byteLength,
})

/** A signature, as it were. */
export const pushReferrer = async (worker: Worker, repository: string): Promise<void> => {
  const { random, images, layers } = worker
  const subjects = [...(images.get(repository)?.values() ?? [])]
  if (subjects.length === 0) return pushImage(worker, repository)
  const { manifest: subject } = random.pick(subjects)
  const layer = layers.pick(random)
  const manifest = contentOf(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: imageType,
        artifactType: 'application/vnd.example.signature',
        config: describe('application/vnd.oci.empty.v1+json', empty),
        layers: [describe('application/vnd.example.signature', layer)],
        subject: describe(imageType, subject),
        annotations: { number: String(random.next()) },
      }),
    ),
  )
  const needs = [layer, empty]
  const image = { manifest, needs: needs.map(({ digest }) => digest), subject: subject.digest }
  await pushAll(worker, repository, image, needs, undefined)
}

const pushAll = async (
  worker: Worker,
  repository: string,
  image: StoredImage,
  blobs: readonly Content[],
  tag: string | undefined,
): Promise<void> => {
  for (let tried = 0; tried < tries; tried += 1) {
    for (const blob of blobs) await pushBlob(worker, repository, blob, tried === 0)
    const status = await putManifest(worker, repository, image, tag)
    // A blob was deleted, or collected, between its push and that of the manifest: the whole push again mends it.
    if (status === 201) return
    if (status !== 400 && status !== 404) return
  }
  worker.tally.givenUp += 1
}

const putManifest = async (
  worker: Worker,
  repository: string,
  image: StoredImage,
  tag: string | undefined,
): Promise<number> => {
  const { client, images } = worker
  const { manifest, needs, subject } = image
  const { digest } = manifest
  const intent = { kind: 'put-manifest', repository, digest, needs } as const
  const answer = await write(
    worker,
    { ...intent, ...(tag !== undefined && { tag }), ...(subject !== undefined && { subject }) },
    async () => pushManifest(client, repository, tag ?? digest, manifest),
    201,
  )
  if (answer === undefined) throw new CutError('The push of a manifest was cut off.')
  if (answer.status === 201) {
    const known = images.get(repository) ?? new Map<string, StoredImage>()
    images.set(repository, known.set(digest, image))
  }
  return answer.status
}

/** Another name for an image that is there, or that somebody is deleting. */
export const moveTag = async (worker: Worker, repository: string): Promise<void> => {
  const { random, images } = worker
  const known = [...(images.get(repository)?.values() ?? [])]
  if (known.length === 0) return pushImage(worker, repository)
  await putManifest(worker, repository, random.pick(known), random.pick(tags))
}

/** A blob that no manifest needs, and nobody else pushes. */
export const pushLooseBlob = async (worker: Worker, repository: string): Promise<void> => {
  const { random, layers, loose } = worker
  const blob = layers.fresh(random)
  if (await pushBlob(worker, repository, blob, false)) loose.push({ repository, digest: blob.digest })
}

const pushBlob = async (worker: Worker, repository: string, blob: Content, ask: boolean): Promise<boolean> => {
  const { client, random } = worker
  const { digest } = blob
  if (ask && random.next() < 0.5) {
    const head = await client.send('HEAD', `/v2/${repository}/blobs/${digest}`)
    if (head.status === 200) return true
  }
  const intent = { kind: 'put-blob', repository, digest } as const
  let location: string | undefined
  if (random.next() < 0.3) {
    const from = random.pick(repositories)
    const mount = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`
    const answer = await write(worker, intent, async () => client.send('POST', mount), 201)
    if (answer?.status === 201) return true
    if (answer?.status === 202) location = locationOf(answer)
  }
  location ??= await beginUpload(worker, repository)
  if (location === undefined) return false
  const sent = random.next() < 0.2 ? await sendChunks(worker, location, blob) : { location, rest: blob.bytes }
  if (sent === undefined) return false
  const target = `${sent.location}${sent.location.includes('?') ? '&' : '?'}digest=${digest}`
  const headers = { 'content-type': 'application/octet-stream' }
  const answer = await write(worker, intent, async () => client.send('PUT', target, { headers, body: sent.rest }), 201)
  if (answer === undefined) throw new CutError('The push of a blob was cut off.')
  return answer.status === 201
}

export const beginUpload = async ({ client, tally }: Worker, repository: string): Promise<string | undefined> => {
  const answer = await client.send('POST', `/v2/${repository}/blobs/uploads/`)
  if (answer.status === 202) return locationOf(answer)
  if (answer.status >= 500) tally.serverErrors += 1
  await pause(1)
  return undefined
}

/** Sends all but the last chunk. */
const sendChunks = async (
  { client, tally }: Worker,
  begun: string,
  { bytes }: Content,
): Promise<{ readonly location: string; readonly rest: Buffer } | undefined> => {
  let location = begun
  const size = Math.ceil(bytes.byteLength / chunks)
  let at = 0
  for (; at + size < bytes.byteLength; at += size) {
    const headers = {
      'content-type': 'application/octet-stream',
      'content-range': `${at}-${at + size - 1}`,
    }
    const answer = await client.send('PATCH', location, { headers, body: bytes.subarray(at, at + size) })
    if (answer.status >= 500) tally.serverErrors += 1
    if (answer.status !== 202) return undefined
    location = locationOf(answer)
  }
  return { location, rest: bytes.subarray(at) }
}
