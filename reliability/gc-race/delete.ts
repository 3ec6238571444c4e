import type { HttpClient } from '../http.ts'
import type { Random } from '../random.ts'
import type { Images, Pushed } from './images.ts'

export interface DeleteCounts {
  manifests: number
  tags: number
  blobs: number
}

/** As many images stay as this, more or less: the more there are, the more are deleted. */
const wanted = 300

/** Deletes a manifest, a tag, or a blob that perhaps somebody is about to use. */
export const deleteSomething = async (
  client: HttpClient,
  random: Random,
  images: Images,
  tags: readonly string[],
  counts: DeleteCounts,
): Promise<void> => {
  const repository = random.pick(images.repositories)
  const chance = random.next()
  if (chance < 0.3) {
    const { status } = await client.send('DELETE', `/v2/${repository}/blobs/${images.layer(random).digest}`)
    // One that a manifest needs is refused (405); one that is not here is not found.
    if (![202, 404, 405].includes(status)) throw new Error(`DELETE of a blob was answered ${status}`)
    if (status === 202) counts.blobs += 1
  } else if (chance < 0.5) {
    const { status } = await client.send('DELETE', `/v2/${repository}/manifests/${random.pick(tags)}`)
    if (status !== 202 && status !== 404) throw new Error(`DELETE of a tag was answered ${status}`)
    if (status === 202) counts.tags += 1
  } else if (images.all.size > wanted * random.next()) {
    const taken = images.takeOut(random)
    if (taken === undefined) return
    const path = `/v2/${taken.repository}/manifests/${taken.image.manifest.digest}`
    const { status } = await client.send('DELETE', path)
    if (status !== 202) throw new Error(`DELETE of a manifest was answered ${status}`)
    counts.manifests += 1
  }
}

/** Deletes all that was pushed. */
export const deleteEverything = async (client: HttpClient, images: Images): Promise<string[]> => {
  const failures: string[] = []
  const each = async ({ repository, image }: Pushed): Promise<void> => {
    const { status } = await client.send('DELETE', `/v2/${repository}/manifests/${image.manifest.digest}`)
    if (status !== 202) failures.push(`DELETE of a manifest in ${repository} was answered ${status}`)
  }
  await Promise.all([...images.all].map(each))
  return failures
}
