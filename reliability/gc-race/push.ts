import { type HttpAnswer, type HttpClient, locationOf } from '../http.ts'
import { type Content, type Image, pushManifest } from '../image.ts'
import type { Random } from '../random.ts'
import type { Images } from './images.ts'

export interface PushCounts {
  uploaded: number
  /** Layers that a HEAD said were there. */
  skipped: number
  mounted: number
  /** Pushes that were told that a blob was gone, and began anew. */
  retried: number
}

/** A push that is told again and again that a blob is missing would never end. */
const mostTries = 100

/**
 * Pushes as clients do: asks for each blob, sends what is not there or has it mounted, then the manifest. What was there a
 * moment ago may be gone when the manifest comes; then the client begins anew.
 */
export const pushImage = async (
  client: HttpClient,
  random: Random,
  { repositories }: Images,
  repository: string,
  image: Image,
  reference: string,
  counts: PushCounts,
): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    for (const content of [...image.layers, image.config]) {
      const { status } = await client.send('HEAD', `/v2/${repository}/blobs/${content.digest}`)
      if (status === 200) counts.skipped += 1
      else if (status === 404)
        await bring(client, repository, content, random.next() < 0.5 ? random.pick(repositories) : undefined, counts)
      else throw new Error(`HEAD of a blob was answered ${status}`)
    }
    const answer = await pushManifest(client, repository, reference, image.manifest)
    if (answer.status === 201) return
    if (!isMissingBlob(answer))
      throw new Error(`PUT of a manifest was answered ${answer.status}: ${answer.body.toString()}`)
    counts.retried += 1
    if (attempt === mostTries) throw new Error(`A push was told ${mostTries} times that a blob is missing.`)
  }
}

/** Puts a blob into the repository, by a mount where `from` has it. */
const bring = async (
  client: HttpClient,
  repository: string,
  { digest, bytes }: Content,
  from: string | undefined,
  counts: PushCounts,
): Promise<void> => {
  const mount = from === undefined || from === repository ? '' : `?mount=${digest}&from=${encodeURIComponent(from)}`
  const begun = await client.send('POST', `/v2/${repository}/blobs/uploads/${mount}`)
  if (begun.status === 201 && mount !== '') {
    counts.mounted += 1
    return
  }
  if (begun.status !== 202) throw new Error(`POST of an upload was answered ${begun.status}: ${begun.body.toString()}`)
  const { status, body } = await client.send('PUT', `${locationOf(begun)}?digest=${digest}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  })
  if (status !== 201) throw new Error(`PUT of a blob was answered ${status}: ${body.toString()}`)
  counts.uploaded += 1
}

const isMissingBlob = ({ status, body }: HttpAnswer): boolean =>
  (status === 404 || status === 400) && /"(?:MANIFEST_)?BLOB_UNKNOWN"/.test(body.toString())

/** Pulls all of an image; gives what is not as it was pushed. */
export const pullImage = async (client: HttpClient, repository: string, image: Image): Promise<string[]> => {
  const { config, layers, manifest } = image
  const missing = async (kind: string, { digest, bytes }: Content): Promise<string[]> => {
    const answer = await client.send('GET', `/v2/${repository}/${kind}/${digest}`)
    if (answer.status !== 200) return [`GET of ${kind}/${digest} in ${repository} was answered ${answer.status}`]
    return answer.body.equals(bytes) ? [] : [`GET of ${kind}/${digest} in ${repository} gave other bytes`]
  }
  const found = await Promise.all([
    missing('manifests', manifest),
    ...[config, ...layers].map(async (content) => missing('blobs', content)),
  ])
  return found.flat()
}
