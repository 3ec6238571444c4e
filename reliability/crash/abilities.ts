import type { HttpClient } from '../http.ts'
import { contentOf, imageOf, pushBlob, pushManifest } from '../image.ts'

/** What a registry can do of that which the specification leaves to it, or which it does not know. */
export interface Abilities {
  /** The list of referrers. */
  readonly referrers: boolean
  /** A tag can be deleted without its manifest. */
  readonly deleteTags: boolean
  /** A blob that a manifest needs is not deleted. Where it is, the harness deletes none that anybody else may push. */
  readonly keepsUsedBlobs: boolean
}

const repository = 'abilities'

/** Tries it, in a repository of its own. */
export const probeAbilities = async (client: HttpClient): Promise<Abilities> => {
  const layer = contentOf(Buffer.from('a layer'))
  const image = imageOf('abilities', [layer])
  for (const blob of [...image.layers, image.config]) await pushBlob(client, repository, blob)
  const put = await pushManifest(client, repository, 'latest', image.manifest)
  if (put.status !== 201) throw new Error(`The registry takes no image: ${put.status} ${put.body.toString()}`)
  const referrers = await client.send('GET', `/v2/${repository}/referrers/${image.manifest.digest}`)
  const blob = await client.send('DELETE', `/v2/${repository}/blobs/${layer.digest}`)
  const tag = await client.send('DELETE', `/v2/${repository}/manifests/latest`)
  return {
    referrers: referrers.status === 200,
    deleteTags: tag.status === 202,
    keepsUsedBlobs: blob.status >= 400 && blob.status < 500,
  }
}
